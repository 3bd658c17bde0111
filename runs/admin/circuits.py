"""The circuit breakers: which models are left alone, why and until when; and letting them through again."""

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.ledger import EMPTY, Ledger, badge, moment, word_filter
from runs import circuits
from runs.admin.audit import note
from runs.faults import explain
from runs.models import Circuit


@admin.register(Circuit)
class CircuitAdmin(Ledger):
    """Models that failed at least once, and accounts that were refused; what was never in trouble is not here."""

    list_display = ("provider", "model", "account", "state", "why", "failures", "pauses", "opened", "until")
    list_filter = (word_filter("status", "status", ("open", "half_open", "closed")),)
    ordering = (F("retry_at").desc(nulls_last=True), "provider", "model")
    search_fields = ("provider__exact", "model__startswith")
    search_help_text = "Provider, or the beginning of a model's name"
    fields = (
        ("provider", "model", "account"),
        ("state", "failures", "pauses"),
        ("error", "why"),
        ("opened", "until"),
        "changed",
    )
    readonly_fields = ("state", "why", "opened", "until", "changed")
    actions = ["reset_selected"]

    @admin.display(description="status", ordering="status")
    def state(self, circuit: Circuit) -> SafeString | str:
        """Whether anything is submitted."""
        return badge(circuit.status)

    @admin.display(description="why", ordering="error")
    def why(self, circuit: Circuit) -> str:
        """Its newest failure, while that counts."""
        return (
            f"{circuit.error}: {explain(circuit.error).message}"
            if circuit.failures or circuit.status != "closed"
            else EMPTY
        )

    @admin.display(description="paused at", ordering="opened_at")
    def opened(self, circuit: Circuit) -> str:
        """To the second."""
        return moment(circuit.opened_at)

    @admin.display(description="until", ordering="retry_at")
    def until(self, circuit: Circuit) -> str:
        """When one submission is let through."""
        if circuit.status == "half_open":
            return "one submission is out to see"
        return moment(circuit.retry_at)

    @admin.display(description="changed", ordering="updated_at")
    def changed(self, circuit: Circuit) -> str:
        """To the second."""
        return moment(circuit.updated_at)

    @admin.action(description="Reset selected circuits", permissions=["reset"])
    def reset_selected(self, request: HttpRequest, chosen: QuerySet[Circuit]) -> None:
        """Everything is submitted again, and the count begins anew."""
        names = []
        for circuit in chosen:
            circuits.reset(circuit, actor=f"user:{request.user.pk}")
            note(request, [circuit], "Reset.")
            names.append(str(circuit))
        told = f"{', '.join(names)}: submissions go through again. What waits is sent within a minute."
        self.message_user(request, told, messages.SUCCESS)

    def has_reset_permission(self, request: HttpRequest) -> bool:
        """Who may change circuits at all."""
        return request.user.has_perm("runs.change_circuit")
