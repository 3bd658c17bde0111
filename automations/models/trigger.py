"""Runs that an address starts."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q

from automations.models.standing import Standing, recipe_index


class Trigger(Standing):
    """An address that runs a recipe for whoever knows it. Only the digest of its token is kept."""

    trigger_id = models.CharField(max_length=40, unique=True, editable=False)
    media = ArrayField(models.CharField(max_length=300), default=list, editable=False, help_text="Files that it names.")
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the whole token.")
    allowed = ArrayField(models.CharField(max_length=100), default=list, help_text="Inputs that a caller may give.")
    day_cap_usd = models.DecimalField(
        max_digits=12, decimal_places=6, null=True, blank=True, help_text="What its runs of one UTC day may cost."
    )
    per_minute = models.IntegerField(default=10, help_text="How often it may be called.")
    rotated_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "triggers"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(condition=Q(mode__in=["live", "mock"]), name="trigger_mode_known"),
            models.CheckConstraint(
                condition=~Q(mode="live") | Q(run_cap_usd__isnull=False, day_cap_usd__isnull=False),
                name="trigger_live_has_caps",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-id"], name="trigger_owner"),
            GinIndex(fields=["media"], name="trigger_media"),  # who else uses a file
            recipe_index("trigger"),
        ]

    def __str__(self) -> str:
        return self.trigger_id
