"""An account at a provider: how fast and how much it may be used, and what the provider told us to do."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class ProviderAccount(models.Model):
    """One account, found by its first submission. An empty limit is no limit of ours."""

    key = models.CharField(max_length=120, unique=True, help_text="Stands for the credential, and tells nothing of it.")
    provider = models.CharField(max_length=40)
    requests_per_s = models.DecimalField(
        max_digits=8, decimal_places=3, null=True, blank=True, help_text="Submissions and polls together."
    )
    jobs_in_flight = models.IntegerField(null=True, blank=True, help_text="Jobs that are at the provider at once.")
    day_cap_usd = models.DecimalField(
        max_digits=14, decimal_places=6, null=True, blank=True, help_text="What a UTC day's submissions may cost."
    )
    paused_until = models.DateTimeField(null=True, blank=True, help_text="The provider asked us to slow down.")
    slowdowns = models.IntegerField(default=0, help_text="Times in a row that it did.")
    webhook_sender = models.CharField(
        max_length=300,
        blank=True,
        help_text="What the provider calls the account in webhooks that it signs alike for everybody. No other is "
        "believed. Empty: the next one about a job of ours tells.",
    )
    first_seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "provider_accounts"
        ordering = ["provider", "key"]
        indexes = [models.Index(fields=["provider", "-id"], name="account_provider")]  # operators' list, newest first
        constraints = [
            models.CheckConstraint(
                condition=Q(requests_per_s=None) | Q(requests_per_s__gt=0), name="account_rate_is_above_nothing"
            ),
            models.CheckConstraint(
                condition=Q(jobs_in_flight=None) | Q(jobs_in_flight__gt=0), name="account_jobs_are_above_nothing"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.key[:24]}"
