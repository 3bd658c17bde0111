"""One time that a standing order began a run, or should have."""

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from automations.models.batch import Batch
from automations.models.schedule import Schedule
from automations.models.trigger import Trigger

OPEN = ("due", "started")
KNOWN = ("canceled", "done", "due", "failed", "missed", "refused", "skipped", "started")


class Firing(models.Model):
    """A due time of a schedule, a call of a trigger, or a row of a batch: there is one row for each, whoever tries.

    due        a row of a batch whose turn comes
    started    it has a run, which has not ended
    done, failed, canceled   as the run ended the first time, whatever became of it since
    refused    no run was made; `error` says why
    skipped    no run was made, and nothing is wrong: the last one was at work, or there was no money left
    missed     nobody was there at the time; `times` due times up to `due_at`
    """

    schedule = models.ForeignKey(Schedule, on_delete=models.CASCADE, null=True, blank=True, related_name="firings")
    trigger = models.ForeignKey(Trigger, on_delete=models.CASCADE, null=True, blank=True, related_name="firings")
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, null=True, blank=True, related_name="firings")
    due_at = models.DateTimeField(db_default=Now())
    number = models.IntegerField(null=True, blank=True, help_text="Of a batch's row, from 1.")
    line = models.IntegerField(null=True, blank=True, help_text="Where a batch's row stands in its file.")
    inputs = models.JSONField(default=dict, help_text="Its own, beside those of the standing order.")
    media = ArrayField(
        models.CharField(max_length=300), default=list, editable=False, help_text="Files that its own inputs name."
    )
    status = models.CharField(max_length=10)
    error = models.CharField(max_length=64, blank=True, help_text="Code of what stood in the way.")
    times = models.IntegerField(default=1)
    run = models.ForeignKey("runs.Run", on_delete=models.SET_NULL, null=True, blank=True, related_name="firings")
    run_cap_usd = models.DecimalField(
        max_digits=12, decimal_places=6, default=0, help_text="What its run may cost, while that is not known better."
    )
    begun_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "firings"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "due_at"], name="firing_once_a_due_time"),
            models.UniqueConstraint(fields=["batch", "number"], name="firing_once_a_row"),
            models.CheckConstraint(condition=Q(status__in=KNOWN), name="firing_status_known"),
            models.CheckConstraint(
                condition=Q(schedule__isnull=False, trigger=None, batch=None)
                | Q(schedule=None, trigger__isnull=False, batch=None)
                | Q(schedule=None, trigger=None, batch__isnull=False, number__isnull=False),
                name="firing_of_one_order",
            ),
            models.CheckConstraint(
                condition=~Q(status="started") | Q(begun_at__isnull=False),
                name="firing_started_has_begun",
            ),
        ]
        indexes = [
            models.Index(fields=["schedule", "-id"], name="firing_schedule"),
            models.Index(fields=["trigger", "-id"], name="firing_trigger"),
            models.Index(fields=["batch", "status", "number"], name="firing_batch"),
            GinIndex(fields=["media"], name="firing_media"),  # who else uses a file
            # Whose run may have ended meanwhile; the operators' list.
            models.Index(fields=["status", "-id"], name="firing_status"),
        ]

    def __str__(self) -> str:
        return f"firing {self.pk}"
