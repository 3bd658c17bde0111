"""The run: one recipe, one set of inputs, one film."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from runs.states import RUN_FINAL, RunStatus, Stage, WaitReason

# Plain strings: an enum member here would make every migration import today's runs.states.
_KNOWN, _FINAL = sorted(map(str, RunStatus)), sorted(map(str, RUN_FINAL))
_QUEUED, _STAGE = str(RunStatus.QUEUED), str(Stage.QUEUED)
_REASONS = sorted(map(str, WaitReason))


class Run(models.Model):
    """A recipe on its way to a film. Only `runs.transitions` changes `status`, `stage` and `revision`."""

    run_id = models.CharField(max_length=40, unique=True, editable=False)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="runs",
        db_index=False,  # run_owner
    )
    principal_id = models.CharField(max_length=80, blank=True, help_text="Who asked, as the API names them.")
    session_id = models.CharField(max_length=80, blank=True, help_text="Browser session or X-Zap-Session header.")

    parent = models.ForeignKey(
        "self",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="forks",
        help_text="The run that this one branched off.",
    )
    zap_slug = models.CharField(max_length=64)
    zap_version = models.IntegerField()
    source = models.TextField(help_text="The recipe as it was when the run began.")
    prompts = models.JSONField(default=dict, help_text="Its prompt files, by path.")
    content_hash = models.CharField(max_length=64, help_text="SHA-256 of source and prompts.")
    inputs = models.JSONField(default=dict)
    options = models.JSONField(default=dict, help_text="What else was ordered: extendCount and provider.")
    provider_mode = models.CharField(max_length=8)

    status = models.CharField(max_length=12, default=_QUEUED)
    stage = models.CharField(max_length=16, default=_STAGE)
    wait_reason = models.CharField(max_length=24, null=True, blank=True)  # noqa: DJ001 (absent is not the same as a reason)
    error = models.CharField(max_length=64, blank=True, help_text="Stable code of the first failure.")
    output = models.CharField(max_length=100, default="Zap.mp4", help_text="File name of the finished film.")
    zap_url = models.CharField(max_length=300, blank=True, help_text="Address of the finished film.")
    revision = models.BigIntegerField(default=0, help_text="Counts the transitions; also the newest event's seq.")

    quote_usd = models.DecimalField(max_digits=12, decimal_places=6)
    cap_usd = models.DecimalField(max_digits=12, decimal_places=6)
    reserved_usd = models.DecimalField(max_digits=12, decimal_places=6)
    cost_usd = models.DecimalField(max_digits=12, decimal_places=6, default=0)

    due_at = models.DateTimeField(
        null=True, blank=True, db_default=Now(), help_text="When the drain looks at it, if nobody did before."
    )
    rung_at = models.DateTimeField(null=True, blank=True)
    shown_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Last revision made by progress alone."
    )
    started_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    is_kept = models.BooleanField(default=False, db_default=False, help_text="Its owner's retention spares it.")
    deleted_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="From then on only its numbers are left."
    )

    class Meta:
        db_table = "runs"
        constraints = [
            models.CheckConstraint(condition=Q(status__in=_KNOWN), name="run_status_known"),
            models.CheckConstraint(condition=Q(provider_mode__in=["live", "mock"]), name="run_provider_mode_known"),
            models.CheckConstraint(
                condition=Q(wait_reason=None) | Q(wait_reason__in=_REASONS), name="run_wait_reason_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=_FINAL) | Q(due_at__isnull=False) | Q(wait_reason__isnull=False),
                name="run_open_is_due_or_says_why",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=_FINAL) | Q(finished_at__isnull=False), name="run_final_has_end"
            ),
            models.CheckConstraint(
                condition=Q(reserved_usd__gte=0) & Q(cost_usd__gte=0) & Q(cap_usd__gte=0), name="run_money_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(deleted_at=None) | Q(status__in=_FINAL, source="", prompts={}, inputs={}, options={}),
                name="run_deleted_is_empty",
            ),
        ]
        indexes = [
            # The drain: what nobody looked at. Small: open runs only.
            models.Index(fields=["due_at"], name="run_due", condition=~Q(status__in=_FINAL)),
            # Of how much of an owner's new work workers have been told.
            models.Index(fields=["owner", "rung_at"], name="run_begins", condition=Q(status="queued")),
            # Lists, newest first: all, one owner's, one state's, one recipe's, one principal's.
            models.Index(fields=["-started_at", "-id"], name="run_started"),
            models.Index(fields=["owner", "-started_at", "-id"], name="run_owner"),
            models.Index(fields=["status", "-started_at"], name="run_status"),
            models.Index(fields=["provider_mode", "-started_at", "-id"], name="run_mode"),
            # Serves equality and the beginning of a name, whatever the collation.
            models.Index(
                fields=["zap_slug", "-started_at"],
                name="run_recipe",
                opclasses=["varchar_pattern_ops", "timestamptz_ops"],
            ),
            models.Index(fields=["principal_id", "-started_at"], name="run_principal"),
            # How many failed lately; read from the index alone.
            models.Index(
                fields=["finished_at", "status"], name="run_ended", condition=Q(status__in=["done", "failed"])
            ),
            # Retention: the oldest that are still there, everybody's and one owner's.
            models.Index(fields=["finished_at"], name="run_over", condition=Q(status__in=_FINAL, deleted_at=None)),
            models.Index(
                fields=["owner", "finished_at"],
                name="run_over_owner",
                condition=Q(status__in=_FINAL, deleted_at=None, is_kept=False),
            ),
        ]

    def __str__(self) -> str:
        return self.run_id


class RunEvent(models.Model):
    """One thing that happened to a run. Read by the timeline, the audit trail, and every change notice."""

    run = models.ForeignKey(Run, on_delete=models.CASCADE, related_name="events", db_index=False)  # run_event_once
    seq = models.BigIntegerField(help_text="The run's revision that this event made.")
    type = models.CharField(max_length=40)  # run.started, step.finished, attempt.accepted, …
    subject = models.CharField(max_length=120, help_text="Run id, step id, or step id # attempt number.")
    actor = models.CharField(max_length=80, help_text="worker, drain, or the principal who asked.")
    reason = models.CharField(max_length=64, blank=True, help_text="Stable code or wait reason, where there is one.")
    happened_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "run_events"
        constraints = [models.UniqueConstraint(fields=["run", "seq"], name="run_event_once")]
        indexes = [
            # What one person did. Most of what happens, machines do.
            models.Index(
                fields=["actor", "-id"],
                name="run_event_actor",
                condition=~Q(actor__in=["drain", "webhook", "worker"]),
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.subject}"
