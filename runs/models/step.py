"""The step: one thing the recipe asks for."""

from django.db import models
from django.db.models import Q

from runs.models.run import Run
from runs.states import STEP_FINAL, StepStatus, WaitReason

_KNOWN, _FINAL = sorted(map(str, StepStatus)), sorted(map(str, STEP_FINAL))
_QUEUED = str(StepStatus.QUEUED)
_REASONS = sorted(map(str, WaitReason))


class Step(models.Model):
    """One step of a run, in recipe order. Only `runs.transitions` changes `status`."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps", db_index=False)  # step_once
    step_id = models.CharField(max_length=80)
    position = models.IntegerField()
    kind = models.CharField(max_length=40)  # open set, checked against KINDS: hence no choices
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=200, blank=True)
    spec = models.JSONField(help_text="The planned step, as planning wrote it.")
    parents = models.JSONField(default=list, help_text="Step ids that must be done first.")

    status = models.CharField(max_length=12, default=_QUEUED)
    wait_reason = models.CharField(max_length=24, null=True, blank=True)  # noqa: DJ001 (absent is not the same as a reason)
    progress = models.FloatField(default=0)
    error = models.CharField(max_length=64, blank=True)
    idem_key = models.CharField(max_length=220, blank=True, help_text="Key of the newest attempt.")
    provider_request_id = models.CharField(
        max_length=300, blank=True, help_text="The provider's id for the newest attempt."
    )
    round = models.IntegerField(default=1, help_text="Counts the times that it was begun anew.")
    kept_round = models.IntegerField(
        null=True, blank=True, help_text="The round whose results count again: it ended before anybody decided."
    )
    chosen = models.ForeignKey(
        "runs.Attempt",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        help_text="The attempt whose assets count.",
    )
    price_quote_usd = models.DecimalField(
        max_digits=12, decimal_places=6, help_text="All its candidates and their judging."
    )
    reserved_usd = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        default=0,
        help_text="Held of the run's cap for attempts that are not made yet.",
    )
    reserved_on = models.DateField(null=True, blank=True, help_text="The UTC day whose budget holds it.")
    actual_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)

    due_at = models.DateTimeField(null=True, blank=True, help_text="By when its attempt must have ended.")
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "steps"
        ordering = ["position"]
        constraints = [
            models.UniqueConstraint(fields=["run", "step_id"], name="step_once"),
            models.UniqueConstraint(fields=["run", "position"], name="step_position_once"),
            models.CheckConstraint(condition=Q(status__in=_KNOWN), name="step_status_known"),
            models.CheckConstraint(
                condition=Q(wait_reason=None) | Q(wait_reason__in=_REASONS), name="step_wait_reason_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=_FINAL) | Q(due_at__isnull=False) | Q(wait_reason__isnull=False),
                name="step_open_is_due_or_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=_FINAL) | Q(finished_at__isnull=False), name="step_final_has_end"
            ),
            models.CheckConstraint(condition=Q(progress__gte=0) & Q(progress__lte=1), name="step_progress_is_a_share"),
            models.CheckConstraint(condition=Q(reserved_usd__gte=0), name="step_reserved_not_negative"),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "waiting"]) | Q(reserved_usd=0),
                name="step_final_holds_nothing",
            ),
        ]
        indexes = [
            # Lists of one state, newest first.
            models.Index(fields=["status", "-id"], name="step_status_newest"),
            # Dead letters, what failed last first. What they are filtered by is compared within the index.
            models.Index(
                fields=["-finished_at", "-id", "provider", "model", "error"],
                name="step_failed",
                condition=Q(status="failed"),
            ),
            # The drain's check on steps whose attempt should long have ended.
            models.Index(fields=["due_at"], name="step_due", condition=Q(status="running")),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.step_id}"
