"""One step that one event started."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from flows.models.event import FlowEvent


class FlowRun(models.Model):
    """A step to be run once to an end, with everything that a worker needs to do so as it stood when it was made."""

    run_id = models.CharField(max_length=40, editable=False)
    event = models.ForeignKey(FlowEvent, on_delete=models.CASCADE, related_name="runs", db_index=False)  # flow_run_once
    flow_name = models.CharField(max_length=200)
    flow_version = models.FloatField()
    step_name = models.CharField(max_length=200)
    replay = models.IntegerField(default=0, help_text="0: the dispatch; else the number of the replay.")
    runner = models.CharField(max_length=12)
    snapshot = models.JSONField(help_text="script, cwd, timeoutMs, config, root and policy, as the manifest had them.")

    status = models.CharField(max_length=9, default="queued")
    priority = models.SmallIntegerField(default=0, help_text="Greater is taken first.")
    labels = models.JSONField(default=list, blank=True, help_text="What a worker must offer to be given it.")
    due_at = models.DateTimeField(db_default=Now(), help_text="Not before this moment.")
    concurrency_key = models.CharField(max_length=300, blank=True)
    concurrency_limit = models.SmallIntegerField(default=1, help_text="How many runs of its key may be at work.")
    is_held = models.BooleanField(default=False, help_text="Waits for another run of its concurrency key.")
    attempt_count = models.IntegerField(default=0)
    max_attempts = models.IntegerField(default=3)
    backoff_ms = models.IntegerField(default=1000, help_text="Before the second attempt; doubled for each further one.")

    result = models.JSONField(null=True, blank=True)
    result_status = models.CharField(max_length=18, blank=True, help_text="What the step says of itself.")
    error = models.TextField(null=True, blank=True)  # noqa: DJ001 (absent is not the empty text on the wire)
    is_dead = models.BooleanField(default=False, help_text="Failed because no attempts were left; can be redriven.")
    canceled_by = models.CharField(max_length=160, blank=True)
    is_told = models.BooleanField(default=False, help_text="The completion hooks have returned.")

    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    started_at = models.DateTimeField(null=True, blank=True, help_text="Of the first claim.")
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        db_table = "flow_runs"
        ordering = ["-pk"]
        constraints = [
            # Not `unique=True`: that makes a second index, for LIKE, which every change of a run would pay for.
            models.UniqueConstraint(fields=["run_id"], name="flow_run_id_once"),
            # However often and wherever an event is dispatched, a step of a flow runs once for it and each replay.
            models.UniqueConstraint(fields=["event", "flow_name", "step_name", "replay"], name="flow_run_once"),
            models.CheckConstraint(
                condition=Q(status__in=["canceled", "completed", "failed", "queued", "running"]),
                name="flow_run_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["canceled", "completed", "failed"], completed_at__isnull=False)
                | Q(status__in=["queued", "running"], completed_at=None),
                name="flow_run_final_has_end",
            ),
            models.CheckConstraint(condition=Q(is_held=False) | Q(status="queued"), name="flow_run_held_is_queued"),
            models.CheckConstraint(
                condition=Q(attempt_count__gte=0) & Q(max_attempts__gte=1) & Q(attempt_count__lte=F("max_attempts")),
                name="flow_run_attempts",
            ),
        ]
        indexes = [
            # The claim: what may be taken, best first. Small: what is finished is not in it.
            models.Index(
                "runner",
                F("priority").desc(),
                "due_at",
                "id",
                name="flow_run_claim",
                condition=Q(status="queued", is_held=False),
            ),
            # A key's runs that are open, in the order in which they get their turn.
            models.Index(
                "concurrency_key",
                F("priority").desc(),
                "due_at",
                "id",
                name="flow_run_key",
                condition=Q(status__in=["queued", "running"]) & ~Q(concurrency_key=""),
            ),
            # What ended and has not been told to the completion hooks.
            models.Index(
                fields=["id"],
                name="flow_run_untold",
                condition=Q(status__in=["canceled", "completed", "failed"], is_told=False),
            ),
            # Lists by status: newest first.
            models.Index(fields=["status", "-id"], name="flow_run_status"),
            # What a person must look at.
            models.Index(fields=["result_status", "-id"], name="flow_run_result", condition=~Q(result_status="")),
        ]

    def __str__(self) -> str:
        return self.run_id
