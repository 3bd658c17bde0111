"""What each cycle of the drain did."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class CronLog(models.Model):
    """One cycle of a periodic job. Opened at its start; `status` and `end_time` are empty while it is at work."""

    job_name = models.CharField(max_length=60)
    start_time = models.DateTimeField(db_default=Now())
    end_time = models.DateTimeField(null=True, blank=True)
    duration = models.IntegerField(null=True, blank=True, help_text="Milliseconds.")
    status = models.CharField(max_length=8, null=True, blank=True)  # noqa: DJ001 (empty while at work)
    processed_count = models.IntegerField(default=0)
    error_count = models.IntegerField(default=0)
    error = models.CharField(max_length=200, blank=True, help_text="The last error's code and sentence.")
    lease_until = models.DateTimeField(help_text="After this an unfinished cycle is taken for dead.")

    class Meta:
        db_table = "cron_logs"
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status=None) | Q(status__in=["failed", "partial", "success"]), name="cron_log_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status=None) | Q(end_time__isnull=False), name="cron_log_closed_has_end"
            ),
        ]
        indexes = [
            models.Index(fields=["job_name", "-start_time"], name="cron_log_job"),
            models.Index(fields=["-start_time"], name="cron_log_start"),
            models.Index(fields=["status", "-start_time"], name="cron_log_status"),
        ]

    def __str__(self) -> str:
        return f"{self.job_name} {self.status or 'at work'}"
