"""Accounts at providers: what each may be used for, and whether its provider asked us to slow down."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest

from core.ledger import EMPTY, STYLESHEET, moment, money
from runs import limits
from runs.models import ProviderAccount

if TYPE_CHECKING:
    _Admin = admin.ModelAdmin[ProviderAccount]
else:
    _Admin = admin.ModelAdmin


@admin.register(ProviderAccount)
class ProviderAccountAdmin(_Admin):
    """An account appears with its first submission; its limits are the operator's."""

    list_display = ("key", "provider", "requests_per_s", "jobs_in_flight", "a_day", "slowed_until", "slowdowns")
    list_filter = ("provider",)
    search_fields = ("key__startswith",)
    fields = (
        ("key", "provider"),
        ("requests_per_s", "jobs_in_flight", "day_cap_usd"),
        ("slowed_until", "slowdowns"),
        "webhook_sender",
    )
    readonly_fields = ("key", "provider", "slowed_until", "slowdowns")

    class Media:
        css: ClassVar[dict[str, list[str]]] = {"all": [STYLESHEET]}

    @admin.display(description="a UTC day", ordering="day_cap_usd")
    def a_day(self, account: ProviderAccount) -> str:
        """What its submissions may cost."""
        return EMPTY if account.day_cap_usd is None else money(account.day_cap_usd)

    @admin.display(description="slowed down until", ordering="paused_until")
    def slowed_until(self, account: ProviderAccount) -> str:
        """As its provider asked, to the second."""
        return moment(account.paused_until)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: what an account is called is known by its first submission."""
        return False

    def save_model(self, request: HttpRequest, obj: ProviderAccount, form: Any, change: bool) -> None:
        """The new limits hold within a second, here at once."""
        super().save_model(request, obj, form, change)
        limits.forget()
