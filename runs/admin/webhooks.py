"""The webhooks of the last days: which provider called about which attempt, and what came of it."""

from django.contrib import admin
from django.db.models import Q
from django.utils.safestring import SafeString

from core.keyset import KeysetLedger
from core.ledger import moment, row_link, word_filter
from providers.registry import PROVIDERS
from runs.admin.steps import of_attempts
from runs.models import Attempt, Run, Webhook


@admin.register(Webhook)
class WebhookAdmin(KeysetLedger):
    """Those that were believed; what was refused stands in the log only."""

    list_display = ("received", "provider", "outcome", "attempt_link", "request_id", "settled")
    list_filter = (word_filter("outcome", "outcome", ("rung", "early", "proof", "late")),)
    list_select_related = ("attempt",)
    list_defer = ("attempt__urls", "attempt__logs")
    search_help_text = "The provider's id of the job, a run id, or a provider, in full"
    fields = ("received", ("provider", "outcome"), "attempt_link", "request_id", "event_id")
    readonly_fields = ("received", "attempt_link")

    def find(self, term: str) -> Q:
        """By provider or run, else by the job's attempt."""
        if term in {kind.name for kind in PROVIDERS}:
            return Q(provider=term)
        run = Run.objects.filter(run_id=term).values_list("pk", flat=True).first()
        attempts = of_attempts(term) if run is None else Attempt.objects.filter(run=run)
        return Q(attempt__in=list(attempts.values_list("pk", flat=True)))

    @admin.display(description="received")
    def received(self, webhook: Webhook) -> str:
        """To the second."""
        return moment(webhook.received_at)

    @admin.display(description="attempt")
    def attempt_link(self, webhook: Webhook) -> SafeString | str:
        """Its page."""
        return row_link(webhook.attempt)

    @admin.display(description="known to have ended")
    def settled(self, webhook: Webhook) -> str:
        """When a poll said so."""
        return moment(webhook.attempt.settling_at)
