"""The operators' page of prices, where they set and withdraw them."""

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from accounts.models import OperatorPrice
from accounts.pricing import book
from accounts.pricing.book import Entry
from core.ledger import EMPTY, Ledger, badge, money, word_filter
from providers import prices
from providers.prices import UNITS, read_variant
from providers.registry import PROVIDERS

if TYPE_CHECKING:
    _Form = forms.ModelForm[OperatorPrice]
else:
    _Form = forms.ModelForm


def _today() -> date:
    return datetime.now(UTC).date()


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
        for row in rows:
            if (row.provider, row.model, row.variant) in counted:
                self.log_change(request, row, "Withdrawn.")
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
