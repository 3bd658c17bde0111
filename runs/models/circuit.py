"""The circuit breaker of one provider's model, or of one account there: paused while its failures pile up."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class Circuit(models.Model):
    """How a provider's model has been doing, or an account that pays there. No row: nothing has failed lately."""

    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=200, blank=True)
    account = models.CharField(
        max_length=120, blank=True, default="", db_default="", help_text="The account that is refused; else empty."
    )
    status = models.CharField(
        max_length=12, default="closed", help_text="closed, open, or half_open: one is let through."
    )
    failures = models.IntegerField(default=0, help_text="In a row.")
    pauses = models.IntegerField(default=0, help_text="Times that it opened in a row; each pause is longer.")
    error = models.CharField(max_length=64, blank=True, help_text="Code of the newest failure.")
    opened_at = models.DateTimeField(null=True, blank=True)
    retry_at = models.DateTimeField(null=True, blank=True, help_text="When one submission is let through.")
    probe = models.BigIntegerField(null=True, blank=True, help_text="The attempt that was let through to see.")
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "circuits"
        indexes = [
            # Operators' lists: what is paused, what changed last, and models by their names' beginnings.
            models.Index(F("retry_at").desc(nulls_last=True), name="circuit_paused", condition=~Q(status="closed")),
            models.Index(fields=["-updated_at", "-id"], name="circuit_changed"),
            models.Index(
                fields=["model"], name="circuit_model", opclasses=["varchar_pattern_ops"], condition=~Q(model="")
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["provider", "model", "account"], name="circuit_once"),
            models.CheckConstraint(
                condition=Q(status__in=["closed", "half_open", "open"]), name="circuit_status_known"
            ),
            models.CheckConstraint(condition=Q(status="closed") | Q(retry_at__isnull=False), name="circuit_pause_ends"),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.model or self.account[:24]}"
