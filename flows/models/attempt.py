"""One worker's try at a run."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from flows.models.run import FlowRun


class FlowAttempt(models.Model):
    """The lease of one run. `number` only ever grows, so whoever keeps it can tell an old holder from a new one.

    Its public id is the run's with the number behind a point. Of the lease's token only the digest is kept.
    """

    run = models.ForeignKey(FlowRun, on_delete=models.CASCADE, related_name="attempts", db_index=False)
    number = models.IntegerField(help_text="1 for the first try.")
    status = models.CharField(max_length=9, default="running")
    worker_id = models.CharField(max_length=200)
    token_digest = models.BinaryField(max_length=32, editable=False)
    lease_until = models.DateTimeField(help_text="Valid up to and with this moment.")
    heartbeat_at = models.DateTimeField()
    output_seq = models.IntegerField(default=0, help_text="Of the last piece of output.")
    output_bytes = models.IntegerField(default=0)
    is_output_cut = models.BooleanField(default=False, help_text="Output beyond the cap was thrown away.")
    answer_digest = models.CharField(
        max_length=64, blank=True, help_text="Of what it ended with: tells a repeated report from another one."
    )
    error = models.TextField(null=True, blank=True)  # noqa: DJ001 (absent is not the empty text on the wire)
    created_at = models.DateTimeField(db_default=Now())
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "flow_attempts"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["run", "number"], name="flow_attempt_once"),
            models.UniqueConstraint(fields=["run"], name="flow_attempt_one_lease", condition=Q(status="running")),
            models.CheckConstraint(
                condition=Q(status__in=["canceled", "completed", "failed", "running"]), name="flow_attempt_status_known"
            ),
            models.CheckConstraint(
                condition=Q(status="running", completed_at=None)
                | Q(status__in=["canceled", "completed", "failed"], completed_at__isnull=False),
                name="flow_attempt_final_has_end",
            ),
        ]
        indexes = [
            # The sweep: leases that have run out, oldest first.
            models.Index(fields=["lease_until"], name="flow_attempt_lease", condition=Q(status="running")),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}.{self.number}"
