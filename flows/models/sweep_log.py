"""What each sweep did."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class FlowSweepLog(models.Model):
    """One cycle of the sweep. Opened at its start; `status` and `end_time` are empty while it is at work."""

    job_name = models.CharField(max_length=60, default="flow-sweep")
    start_time = models.DateTimeField(db_default=Now())
    end_time = models.DateTimeField(null=True, blank=True)
    duration = models.IntegerField(null=True, blank=True, help_text="Milliseconds.")
    status = models.CharField(max_length=8, null=True, blank=True)  # noqa: DJ001 (empty while at work)
    processed_count = models.IntegerField(default=0)
    error_count = models.IntegerField(default=0)
    error = models.CharField(max_length=200, blank=True, help_text="The last error's code and sentence.")

    class Meta:
        db_table = "flow_sweep_logs"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status=None) | Q(status__in=["failed", "partial", "success"]),
                name="flow_sweep_log_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status=None) | Q(end_time__isnull=False), name="flow_sweep_log_closed_has_end"
            ),
        ]
        indexes = [models.Index(fields=["-start_time"], name="flow_sweep_log_start")]

    def __str__(self) -> str:
        return f"{self.job_name} {self.status or 'at work'}"
