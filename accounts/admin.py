"""The operators' door to tokens, idempotency keys and the vault. A key itself is shown nowhere."""

from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from accounts.models import ApiToken, IdempotencyKey, OperatorKeyGrant, Secret, SecretAccess
from accounts.tokens import revoke
from core.ledger import EMPTY, Ledger, badge, json_block, word_filter

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[OperatorKeyGrant]
else:
    _Admin = admin.ModelAdmin


@admin.register(ApiToken)
class ApiTokenAdmin(Ledger):
    """Tokens are made by `zap token create`, which alone can show one; here they are revoked."""

    list_display = ("name", "owner", "prefix", "allows", "state", "last_used_at", "expires_at", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "prefix", "owner__username")
    search_help_text = "Name, first characters or owner"
    date_hierarchy = "created_at"
    fields = ("name", "owner", "prefix", "allows", "state", "created_at", "last_used_at", "expires_at", "revoked_at")
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
