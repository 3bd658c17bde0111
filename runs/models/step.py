"""The step: one thing the recipe asks for."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from runs.models.run import Run
from runs.states import STEP_FINAL, StepStatus, WaitReason

_KNOWN, _FINAL = sorted(map(str, StepStatus)), sorted(map(str, STEP_FINAL))
_QUEUED = str(StepStatus.QUEUED)
_REASONS = sorted(map(str, WaitReason))


class Step(models.Model):
    """One step of a run, in recipe order. Only `runs.transitions` changes `status`."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="steps")
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
    price_quote_usd = models.DecimalField(max_digits=12, decimal_places=6)
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
        ]
        indexes = [
            models.Index(fields=["status"], name="step_status"),
            # The drain's check on steps whose attempt should long have ended.
            models.Index(fields=["due_at"], name="step_due", condition=Q(status="running")),
        ]

    def __str__(self) -> str:
        return f"{self.run_id}/{self.step_id}"


class Attempt(models.Model):
    """One try at a step: at most one paid request. The drain's schedule stands in its last columns.

    `lease_token` is the proof to show when writing back: it is new on every claim, so a slow old owner is refused.
    `due_at` is when to look next; a bell sets it to now and never touches the lease.
    """

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="attempts")
    step = models.ForeignKey(Step, on_delete=models.CASCADE, related_name="attempts")
    number = models.IntegerField(help_text="1 for the first try.")
    status = models.CharField(max_length=12, default="planned")
    idem_key = models.CharField(max_length=220, unique=True)
    provider = models.CharField(max_length=40)
    model = models.CharField(max_length=200, blank=True)
    capability = models.CharField(max_length=40)
    provider_request_id = models.CharField(max_length=300, blank=True)
    urls = models.JSONField(
        default=dict, blank=True, help_text="Where to ask about the job, as the submission's answer said."
    )

    progress = models.FloatField(null=True, blank=True)
    queue_position = models.IntegerField(null=True, blank=True)
    seed = models.BigIntegerField(null=True, blank=True)
    logs = models.JSONField(default=list, blank=True)
    error = models.CharField(max_length=64, blank=True)
    quote_usd = models.DecimalField(max_digits=12, decimal_places=6)
    reserved_usd = models.DecimalField(
        max_digits=12, decimal_places=6, default=0, help_text="Held of the run's cap until this ends."
    )
    actual_usd = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True)
    cost_source = models.CharField(max_length=12, blank=True, help_text="reported, derived, quoted or none.")

    polls = models.IntegerField(default=0)
    tries = models.IntegerField(default=0, help_text="Times that this state's work was begun.")
    due_at = models.DateTimeField(null=True, blank=True, db_default=Now())
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, blank=True)
    rung_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now())
    submitted_at = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField(null=True, blank=True)
    settling_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    deadline_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "attempts"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["step", "number"], name="attempt_once"),
            models.CheckConstraint(
                condition=Q(
                    status__in=[
                        "accepted",
                        "canceled",
                        "canceling",
                        "done",
                        "failed",
                        "planned",
                        "settling",
                        "submitting",
                        "unknown",
                    ]
                ),
                name="attempt_status_known",
            ),
            # An unknown submission waits for a person or for proof; everything else that is open must be looked at.
            models.CheckConstraint(
                condition=Q(status__in=["canceled", "done", "failed", "unknown"]) | Q(due_at__isnull=False),
                name="attempt_open_is_due",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["canceled", "done", "failed"])
                | (Q(finished_at__isnull=False) & Q(due_at=None)),
                name="attempt_final_has_end",
            ),
            models.CheckConstraint(
                condition=~Q(status="accepted") | ~Q(provider_request_id=""), name="attempt_accepted_has_request_id"
            ),
        ]
        indexes = [
            # The drain's claim: jobs at a provider, oldest due first. Small: in flight only.
            models.Index(fields=["due_at"], name="attempt_polls_due", condition=Q(status="accepted")),
            # The drain's bells: work whose message was lost, or whose worker died.
            models.Index(
                fields=["due_at"],
                name="attempt_bells_due",
                condition=Q(status__in=["canceling", "planned", "settling", "submitting"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.step_id}#{self.number}"
