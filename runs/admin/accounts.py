"""Accounts at providers: what each may be used for, and whether its provider asked us to slow down."""

from datetime import timedelta
from typing import Any

from django.contrib import admin, messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest

from core.keyset import Keyset
from core.ledger import moment, span, word_filter
from providers.registry import PROVIDERS
from runs import circuits, limits
from runs.models import Circuit, ProviderAccount


@admin.register(ProviderAccount)
class ProviderAccountAdmin(Keyset):
    """An account appears with its first submission; its limits are the operator's."""

    list_display = (
        "key", "provider", "requests_per_s", "jobs_in_flight", "day_cap_usd", "held", "slowed_until", "slowdowns"
    )  # fmt: skip
    list_editable = ("requests_per_s", "jobs_in_flight", "day_cap_usd")
    actions = ["pause_an_hour", "pause_a_day", "let_go_selected"]
    list_filter = (word_filter("provider", "provider", sorted(kind.name for kind in PROVIDERS)),)
    search_help_text = "The beginning of a key"
    fields = (
        ("key", "provider"),
        ("requests_per_s", "jobs_in_flight", "day_cap_usd"),
        ("slowed_until", "slowdowns"),
        "webhook_sender",
    )
    readonly_fields = ("key", "provider", "slowed_until", "slowdowns")

    def find(self, term: str) -> Q:
        """By key."""
        return Q(key__startswith=term)

    @admin.display(description="paused until")
    def held(self, account: Any) -> str:
        """By an operator, or because its key or credit was refused."""
        return moment(account.held_until)

    @admin.display(description="slowed down until")
    def slowed_until(self, account: ProviderAccount) -> str:
        """As its provider asked, to the second."""
        return moment(account.paused_until)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderAccount]:
        """With the end of its pause."""
        its = Circuit.objects.filter(provider=OuterRef("provider"), model="", account=OuterRef("key"))
        paused = its.exclude(status="closed").values("retry_at")[:1]
        accounts: QuerySet[ProviderAccount] = super().get_queryset(request)
        return accounts.annotate(held_until=Subquery(paused))

    @admin.action(description="Pause selected accounts for an hour", permissions=["change"])
    def pause_an_hour(self, request: HttpRequest, chosen: QuerySet[ProviderAccount]) -> None:
        """Nothing is submitted with them; what is at work goes on."""
        self._pause(request, chosen, timedelta(hours=1))

    @admin.action(description="Pause selected accounts for a day", permissions=["change"])
    def pause_a_day(self, request: HttpRequest, chosen: QuerySet[ProviderAccount]) -> None:
        """Nothing is submitted with them; what is at work goes on."""
        self._pause(request, chosen, timedelta(days=1))

    @admin.action(description="Let selected accounts go", permissions=["change"])
    def let_go_selected(self, request: HttpRequest, chosen: QuerySet[ProviderAccount]) -> None:
        """Submit with them again."""
        for account in chosen:
            if circuits.let_go(account.provider, account=account.key, actor=f"user:{request.user.pk}"):
                self.log_change(request, account, "Let go.")
                self.message_user(request, f"{account}: goes on within a minute.", messages.SUCCESS)
            else:
                self.message_user(request, f"{account}: was not paused.", messages.WARNING)

    def _pause(self, request: HttpRequest, chosen: QuerySet[ProviderAccount], pause: timedelta) -> None:
        for account in chosen:
            pause_s = int(pause.total_seconds())
            circuits.pause(account.provider, account=account.key, pause_s=pause_s, actor=f"user:{request.user.pk}")
            self.log_change(request, account, f"Paused for {span(pause)}.")
            told = f"{account}: nothing is submitted for {span(pause)}; jobs at the provider go on."
            self.message_user(request, told, messages.SUCCESS)

    def get_actions(self, request: HttpRequest) -> Any:
        """Only our own: an account that is deleted comes back without its limits."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody: what an account is called is known by its first submission."""
        return False

    def save_model(self, request: HttpRequest, obj: ProviderAccount, form: Any, change: bool) -> None:
        """The new limits hold within a second, here at once."""
        super().save_model(request, obj, form, change)
        limits.forget()
