"""Runs of one recipe with many inputs."""

from django.db import models
from django.db.models import Q

from automations.models.standing import Standing, recipe_index


class Batch(Standing):
    """A file whose rows are runs, begun little by little below one cap. The rows are firings."""

    batch_id = models.CharField(max_length=40, unique=True, editable=False)
    row_count = models.IntegerField()
    quote_usd = models.DecimalField(max_digits=12, decimal_places=6, help_text="Of all rows' first attempts.")
    most_usd = models.DecimalField(max_digits=12, decimal_places=6, help_text="With every further try.")
    cap_usd = models.DecimalField(max_digits=12, decimal_places=6, help_text="What all rows together may cost.")
    status = models.CharField(max_length=10, default="open")
    reason = models.CharField(max_length=64, blank=True, help_text="Why no further row begins, as a code.")
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "batches"
        ordering = ["-pk"]
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["open", "canceling"], finished_at=None)
                | Q(status__in=["done", "canceled"], finished_at__isnull=False),
                name="batch_status_known",
            ),
            models.CheckConstraint(condition=Q(mode__in=["live", "mock"]), name="batch_mode_known"),
        ]
        indexes = [
            # What there is still to do about. Small.
            models.Index(fields=["id"], name="batch_open", condition=Q(finished_at=None)),
            models.Index(fields=["owner", "-id"], name="batch_owner"),
            recipe_index("batch"),
        ]

    def __str__(self) -> str:
        return self.batch_id
