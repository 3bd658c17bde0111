"""What flows are still to be told."""

from django.db import models
from django.db.models.functions import Now


class PendingEvent(models.Model):
    """The end of a run, as flows will be given it. Written with the move that it tells of, gone once flows have it."""

    # Found by pending_event_once.
    run = models.ForeignKey("runs.Run", on_delete=models.CASCADE, related_name="+", db_index=False)
    seq = models.BigIntegerField(help_text="Number of the move in the run's log.")
    event = models.JSONField()
    due_at = models.DateTimeField(db_default=Now())
    rung_at = models.DateTimeField(db_default=Now(), help_text="Whoever writes it rings, once that is committed.")

    class Meta:
        db_table = "pending_flow_events"
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="pending_event_once")]
        indexes = [models.Index(fields=["due_at"], name="pending_event_due")]

    def __str__(self) -> str:
        return f"{self.run_id} {self.seq}"
