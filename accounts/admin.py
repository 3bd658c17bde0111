"""The operators' door to tokens, idempotency keys, the vault and prices. A key itself is shown nowhere."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from accounts.models import ApiToken, IdempotencyKey, OperatorKeyGrant, OperatorPrice, Secret, SecretAccess
from accounts.pricing import book
from accounts.pricing.book import Entry
from accounts.tokens import revoke
from accounts.vault.rotation import rotate
from core.errors import ZapsError
from core.ledger import EMPTY, Ledger, badge, json_block, money, word_filter
from providers import prices
from providers.prices import UNITS, read_variant
from providers.registry import PROVIDERS

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[OperatorKeyGrant]
    _Form = forms.ModelForm[OperatorPrice]
else:
    _Admin, _Form = admin.ModelAdmin, forms.ModelForm


def _today() -> date:
    return datetime.now(UTC).date()


@admin.register(ApiToken)
class ApiTokenAdmin(Ledger):
    """Keys are made and rotated by their owners, who alone can be shown one; here they are revoked."""

    list_display = ("name", "owner", "prefix", "allows", "state", "last_used_at", "expires_at", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__username")
    search_help_text = "Name, first characters or owner"
    date_hierarchy = "created_at"
    fields = (
        "name", "owner", "prefix", "allows", "state", "created_at", "last_used_at", "expires_at",
        ("rotated_at", "old_until"), "revoked_at",
    )  # fmt: skip
    readonly_fields = ("allows", "state")
    actions = ["revoke_tokens"]

    @admin.display(description="scopes")
    def allows(self, token: ApiToken) -> str:
        """What it may be used for."""
        return ", ".join(token.scopes)

    @admin.display(description="state")
    def state(self, token: ApiToken) -> SafeString | str:
        """Whether it opens doors now."""
        if token.revoked_at is not None:
            return badge("revoked")
        return badge("live" if token.is_live(at=timezone.now()) else "expired")

    @admin.action(description="Revoke selected tokens", permissions=["revoke"])
    def revoke_tokens(self, request: HttpRequest, tokens: QuerySet[ApiToken]) -> None:
        """They open nothing any more."""
        count = 0
        for token in tokens.filter(revoked_at=None):
            revoke(token)
            self.log_change(request, token, "Revoked.")
            count += 1
        self.message_user(request, f"{count} revoked; whoever uses one is refused from now on.", messages.SUCCESS)

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may change tokens at all."""
        return request.user.has_perm("accounts.change_apitoken")


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(Ledger):
    """Requests that must not be carried out twice."""

    list_display = ("key", "principal", "run_id", "answered", "created_at", "lease_until")
    list_defer = ("response_body",)
    search_fields = ("key__exact", "principal__exact", "run_id__exact")
    search_help_text = "Key, principal or run id, in full"
    date_hierarchy = "created_at"
    fields = ("key", "principal", "run_id", "answered", "request_hash", "created_at", "lease_until", "body")
    readonly_fields = ("answered", "body")

    @admin.display(description="answer")
    def answered(self, key: IdempotencyKey) -> SafeString | str:
        """The status that was answered."""
        return str(key.response_status) if key.response_status is not None else badge("at work")

    @admin.display(description="answer's body")
    def body(self, key: IdempotencyKey) -> SafeString | str:
        """What is answered again."""
        return json_block(key.response_body)


@admin.register(Secret)
class SecretAdmin(Ledger):
    """Whose keys there are. They are set by `zap keys set` and the API, and read by nobody."""

    list_display = ("provider", "name", "whose", "request_ref", "ending", "fingerprint", "set_by", "updated_at")
    list_select_related = ("owner",)
    list_defer = ("ciphertext",)
    search_fields = ("owner__username", "provider__exact", "request_ref__exact", "fingerprint__exact")
    search_help_text = "Owner; provider, run or fingerprint in full"
    date_hierarchy = "updated_at"
    fields = (
        "provider", "name", "whose", "request_ref", "ending", "fingerprint", "account", "set_by",
        "created_at", "updated_at", "rotated_at",
    )  # fmt: skip
    readonly_fields = ("whose", "ending")
    actions = ["rotate_selected"]

    @admin.action(description="Encrypt selected secrets again with the newest key", permissions=["rotate"])
    def rotate_selected(self, request: HttpRequest, secrets: QuerySet[Secret]) -> None:
        """As `manage.py rotate_secrets` does with all. Their values stay what they are, and unread."""
        try:
            rotated = rotate(secrets)
        except ZapsError as exc:
            self.message_user(request, f"{exc.code}: {exc.detail}", messages.ERROR)
            return
        for secret in secrets:
            self.log_change(request, secret, "Encrypted again.")
        self.message_user(request, f"{rotated.count} encrypted again.", messages.SUCCESS)
        for one in rotated.unreadable:
            self.message_user(request, f"{one}: no key of ours opens it; it must be set again.", messages.ERROR)

    def has_rotate_permission(self, request: HttpRequest) -> bool:
        """Who may change secrets at all."""
        return request.user.has_perm("accounts.change_secret")

    @admin.display(description="owner", ordering="owner")
    def whose(self, secret: Secret) -> str:
        """The owner, or the operator."""
        return "the operator" if secret.owner is None else str(secret.owner)

    @admin.display(description="value")
    def ending(self, secret: Secret) -> str:
        """Its last characters."""
        return f"…{secret.last_four}" if secret.last_four else EMPTY


@admin.register(SecretAccess)
class SecretAccessAdmin(Ledger):
    """Who used which key, and why."""

    list_display = ("at", "provider", "source", "owner", "used_for", "why", "run_id", "step_id", "attempt")
    list_select_related = ("owner",)
    list_filter = (word_filter("source", "source", ("request", "creator", "operator")),)
    search_fields = ("owner__username", "used_for__exact", "run_id__exact", "account__exact")
    search_help_text = "Owner; principal, run or account in full"
    date_hierarchy = "at"
    fields = ("at", "provider", "source", "owner", "account", "used_for", "why", "run_id", "step_id", "attempt")


@admin.register(OperatorKeyGrant)
class OperatorKeyGrantAdmin(_Admin):
    """Who may spend the operator's keys where ZAP_OPERATOR_KEYS_FOR says `allowed`. Given and taken, never changed."""

    list_display = ("user", "granted_by", "granted_at")
    list_select_related = ("user", "granted_by")
    search_fields = ("user__username",)
    autocomplete_fields = ("user",)
    fields = ("user",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """There is nothing to change."""
        return False

    def save_model(self, request: HttpRequest, obj: OperatorKeyGrant, form: Any, change: bool) -> None:
        """Note who gave it."""
        obj.granted_by = request.user if isinstance(request.user, User) else None
        super().save_model(request, obj, form, change)


class PriceForm(_Form):
    """A new price. What there is already cannot be typed over."""

    unit = forms.ChoiceField(
        required=False,
        choices=[("", "none: take the price back"), *((unit, unit) for unit in sorted(UNITS))],
    )
    verified_at = forms.DateField(initial=_today, help_text="The day when it was read there.")

    class Meta:
        model = OperatorPrice
        fields = ("provider", "model", "variant", "unit", "usd", "source", "verified_at")

    def clean(self) -> dict[str, Any]:
        """Every rule that the API has."""
        given: dict[str, Any] = super().clean() or {}
        if self.errors:
            return given
        if bool(given["unit"]) != (given["usd"] is not None):
            raise forms.ValidationError("Give a unit and dollars, or neither to take the price back.")
        for problem in book.check(Entry(**given), today=_today()):
            self.add_error("verified_at" if problem.path == "verifiedAt" else problem.path, problem.message)
        if not self.errors:
            given["variant"] = read_variant(given["variant"])
        return given


@admin.register(OperatorPrice)
class OperatorPriceAdmin(Ledger):
    """What the operator says that models cost. The newest row of each counts; not even the database changes one."""

    form = PriceForm
    list_display = ("model", "provider", "variant", "price", "source", "verified_at", "set_by", "set_at")
    list_filter = (word_filter("provider", "provider", sorted(kind.name for kind in PROVIDERS)),)
    search_fields = ("model", "provider__exact")
    search_help_text = "A part of the model, or the provider in full"
    date_hierarchy = "set_at"
    actions = ["withdraw"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """What is typed in, or what there is."""
        if obj is None:
            return PriceForm.Meta.fields
        return ("provider", "model", "variant", "price", "source", "verified_at", "set_by", "set_at", "past", "shipped")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """All of it, once it is there."""
        return () if obj is None else self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may add prices."""
        return request.user.has_perm("accounts.add_operatorprice")

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        """Taking one back is adding that there is none."""
        return self.has_add_permission(request)

    def save_model(self, request: HttpRequest, obj: OperatorPrice, form: Any, change: bool) -> None:
        """Note who set it."""
        obj.set_by = f"user:{request.user.pk}"
        super().save_model(request, obj, form, change)

    @admin.action(description="Withdraw selected prices", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, rows: QuerySet[OperatorPrice]) -> None:
        """Live runs of these models are refused from now on, whatever ships with the program."""
        keys = {(row.provider, row.model, row.variant) for row in rows}
        now = book.current()
        counted = [key for key in sorted(keys) if now.get(key) is not None]
        for provider, model, variant in counted:
            entry = Entry(
                provider=provider, model=model, variant=variant, source="withdrawn by hand", verified_at=_today()
            )
            book.write(entry, variant=variant, by=f"user:{request.user.pk}")
        self.message_user(request, f"{len(counted)} withdrawn; live runs of them are refused.", messages.SUCCESS)

    @admin.display(description="price", ordering="usd")
    def price(self, row: OperatorPrice) -> SafeString | str:
        """For one unit."""
        return badge("withdrawn") if row.usd is None else f"{money(row.usd)} / {row.unit}"

    @admin.display(description="history")
    def past(self, row: OperatorPrice) -> SafeString:
        """Everything that was ever set for it, newest first, and where to set the next."""
        rows = book.history((row.provider, row.model, row.variant))
        lines = format_html_join(
            "",
            "<li>{}: {}, {} ({})</li>",
            ((f"{one.set_at:%Y-%m-%d}", self.price(one), one.source, one.set_by) for one in rows),
        )
        key = urlencode({"provider": row.provider, "model": row.model, "variant": row.variant})
        return format_html(
            '<ul>{}</ul><a href="{}?{}">Set a new price</a>', lines, reverse("admin:accounts_operatorprice_add"), key
        )

    @admin.display(description="ships with the program")
    def shipped(self, row: OperatorPrice) -> str:
        """What would count if the operator had said nothing."""
        price = prices.load().get((row.provider, row.model, row.variant))
        return EMPTY if price is None else f"{money(price.usd)} / {price.unit}, {price.verified_at}: {price.source}"
