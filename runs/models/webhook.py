"""The inbox of webhooks: which were believed, so that none is believed twice."""

from django.db import models
from django.db.models.functions import Now

from runs.models.attempt import Attempt


class Webhook(models.Model):
    """One webhook that was signed, fresh and about a job of ours. What it said of the job is not kept: a poll asks."""

    attempt = models.ForeignKey(Attempt, on_delete=models.CASCADE, related_name="webhooks")
    provider = models.CharField(max_length=40)
    event_id = models.CharField(max_length=200, help_text="The provider's id of the event, or its body's digest.")
    request_id = models.CharField(max_length=300)
    outcome = models.CharField(
        max_length=8, help_text="rung, early: before its job was on record, proof: that there is one, or late."
    )
    received_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "webhooks"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "event_id"], name="webhook_once"),
            models.CheckConstraint(
                condition=models.Q(outcome__in=["early", "late", "proof", "rung"]), name="webhook_outcome_known"
            ),
        ]
        indexes = [
            # The operators' list. Most are rung, and found by the order.
            models.Index(
                fields=["outcome", "-id"],
                name="webhook_odd",
                condition=models.Q(outcome__in=["early", "late", "proof"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.provider}:{self.pk}"
