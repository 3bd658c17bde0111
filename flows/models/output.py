"""What a step wrote while it ran."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from flows.models.attempt import FlowAttempt


class FlowOutput(models.Model):
    """One piece of an attempt's output. `seq` counts from 1 without a gap, so a reader's place is (attempt, seq)."""

    attempt = models.ForeignKey(FlowAttempt, on_delete=models.CASCADE, related_name="output", db_index=False)
    seq = models.IntegerField()
    kind = models.CharField(max_length=6)
    text = models.TextField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "flow_output"
        ordering = ["attempt", "seq"]
        constraints = [
            models.UniqueConstraint(fields=["attempt", "seq"], name="flow_output_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["agent", "stderr", "stdout", "system"]), name="flow_output_kind_known"
            ),
            models.CheckConstraint(condition=Q(seq__gte=1), name="flow_output_seq"),
        ]

    def __str__(self) -> str:
        return f"{self.attempt_id}:{self.seq}"
