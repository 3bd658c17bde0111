"""The circuit breakers: which models are left alone, why and until when; and letting them through again."""

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from core.keyset import KeysetLedger
from core.ledger import EMPTY, badge, moment, word_filter
from providers.registry import PROVIDERS
from runs import circuits
from runs.admin.audit import note
from runs.faults import explain
from runs.models import Circuit

_PAUSED = dict.fromkeys(("open", "half_open"), ~Q(status="closed"))  # an index holds only these


@admin.register(Circuit)
class CircuitAdmin(KeysetLedger):
    """Models that failed at least once, and accounts that were refused, what changed last first."""

    list_display = ("provider", "model", "account", "state", "why", "failures", "pauses", "opened", "until")
    list_filter = (word_filter("status", "status", ("open", "half_open", "closed"), also=_PAUSED),)
    keys = ("updated_at", "pk")
    search_help_text = "Provider or account, in full, or the beginning of a model's name"
    fields = (
        ("provider", "model", "account"),
        ("state", "failures", "pauses"),
        ("error", "why"),
        ("opened", "until"),
        "changed",
    )
    readonly_fields = ("state", "why", "opened", "until", "changed")
    actions = ["reset_selected"]

    def find(self, term: str) -> Q:
        """By provider, else by model, else by account."""
        every = sorted(kind.name for kind in PROVIDERS)
        if term in every:
            return Q(provider=term)
        by_model = Q(model__startswith=term) & ~Q(model="")
        is_model = Circuit.objects.filter(by_model).exists()
        return by_model if is_model else Q(provider__in=every, model="", account=term)

    @admin.display(description="status")
    def state(self, circuit: Circuit) -> SafeString | str:
        """Whether anything is submitted."""
        return badge(circuit.status)

    @admin.display(description="why")
    def why(self, circuit: Circuit) -> str:
        """Its newest failure, while that counts."""
        return (
            f"{circuit.error}: {explain(circuit.error).message}"
            if circuit.failures or circuit.status != "closed"
            else EMPTY
        )

    @admin.display(description="paused at")
    def opened(self, circuit: Circuit) -> str:
        """To the second."""
        return moment(circuit.opened_at)

    @admin.display(description="until")
    def until(self, circuit: Circuit) -> str:
        """When one submission is let through."""
        if circuit.status == "half_open":
            return "one submission is out to see"
        return moment(circuit.retry_at)

    @admin.display(description="changed")
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
