"""The webhooks of the last days: which provider called about which attempt, and what came of it."""

from django.contrib import admin
from django.utils.safestring import SafeString

from core.ledger import Ledger, moment, row_link, word_filter
from runs.models import Webhook


@admin.register(Webhook)
class WebhookAdmin(Ledger):
    """Those that were believed; what was refused stands in the log only."""

    list_display = ("received", "provider", "outcome", "attempt_link", "request_id", "settled")
    list_filter = (word_filter("outcome", "outcome", ("rung", "early", "proof", "late")),)
    list_select_related = ("attempt",)
    search_fields = ("request_id__exact", "provider__exact")
    search_help_text = "The provider's id of the job, or a provider"
    fields = ("received", ("provider", "outcome"), "attempt_link", "request_id", "event_id")
    readonly_fields = ("received", "attempt_link")
    ordering = ("-pk",)

    @admin.display(description="received", ordering="received_at")
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
