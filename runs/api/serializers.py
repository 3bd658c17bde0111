"""How runs look on the wire; with `rows` and `step_rows` the only place that knows both our words and the callers'."""

from typing import Any

from rest_framework import serializers

from accounts.caller import Caller
from core.api.fields import Address, EpochMs, TextOrNull, Usd, one_of
from core.api.links import public_url
from runs.api import asks
from runs.api.rows import PROVIDER_MODES, Char, Failable, Int, Row
from runs.api.step_rows import AttemptRow, StepRow
from runs.models import Run
from runs.queries import Picture, get_picture, sees_secrets
from runs.states import RunStatus, Stage, StepStatus, WaitReason


class RunRow(Failable):
    """One row of `runs`."""

    secret = ("sessionId", "userId", "principalId")

    runId = Char(source="run_id")
    parentRunId = Char(source="parent_run_id", allow_null=True, help_text="The run that it branched off.")
    zapSlug = Char(source="zap_slug")
    zapVersion = Int(source="zap_version", help_text="0: the recipe came with the request, or is an unpublished draft.")
    zapUrl = Address(source="zap_url", allow_null=True, help_text="The finished film.")
    output = Char(help_text="The film's file name.")
    status = one_of(RunStatus)
    stage = one_of(Stage)
    waitReason = one_of(WaitReason, source="wait_reason", allow_null=True)
    providerMode = serializers.ChoiceField(source="provider_mode", choices=PROVIDER_MODES)
    sessionId = TextOrNull(source="session_id")
    userId = serializers.SerializerMethodField()
    principalId = TextOrNull(source="principal_id")
    inputs = serializers.JSONField()
    contentHash = Char(source="content_hash")
    revision = Int()
    quoteUsd = Usd(source="quote_usd")
    capUsd = Usd(source="cap_usd")
    reservedUsd = Usd(source="reserved_usd")
    costUsd = Usd(source="cost_usd")
    startedAt = EpochMs(source="started_at")
    finishedAt = EpochMs(source="finished_at", allow_null=True)
    kept = serializers.BooleanField(source="is_kept", help_text="Its owner's retention spares it.")
    can = serializers.SerializerMethodField(help_text="What is not refused now: cancel, resume, fork.")
    statusUrl = serializers.SerializerMethodField()
    eventsUrl = serializers.SerializerMethodField()

    def get_can(self, run: Run) -> list[str]:
        """The verbs that the run takes as it stands."""
        return asks.run_can(run)

    def get_userId(self, run: Run) -> str | None:  # noqa: N802
        """The owner's id; null for a run that nobody owns."""
        return str(run.owner_id) if run.owner_id is not None else None

    def get_statusUrl(self, run: Run) -> str:  # noqa: N802
        """Where this run is read."""
        return public_url(f"/api/runs/{run.run_id}")

    def get_eventsUrl(self, run: Run) -> str:  # noqa: N802
        """Where its snapshots are streamed."""
        return public_url(f"/api/runs/{run.run_id}/events")


class AssetRow(Row):
    """One row of `assets`."""

    secret = ("storageKey",)

    assetId = Char(source="asset_id")
    runId = serializers.SerializerMethodField()
    stepId = serializers.SerializerMethodField()
    attempt = serializers.SerializerMethodField()
    chosen = serializers.SerializerMethodField()
    kind = Char(help_text="Media class: png, mp4, wav or json.")
    contentType = Char(source="content_type")
    url = Address(help_text="Its bytes; stable.")
    storageKey = Char(source="storage_key")
    sha256 = Char()
    sizeBytes = Int(source="size_bytes")
    width = Int(allow_null=True)
    height = Int(allow_null=True)
    durationS = serializers.SerializerMethodField()
    parents = serializers.ListField(child=Char(), help_text="Ids of the assets that it was made from.")
    createdAt = EpochMs(source="created_at")

    def get_runId(self, asset: Any) -> str:  # noqa: N802
        """Its run."""
        return str(self.context["run_id"])

    def get_stepId(self, asset: Any) -> str:  # noqa: N802
        """The step that made it."""
        return str(self.context["step_ids"][asset.step_id])

    def get_attempt(self, asset: Any) -> int:
        """Number of the attempt that made it."""
        return int(self.context["numbers"][asset.attempt_id])

    def get_chosen(self, asset: Any) -> bool:
        """Whether it counts: its attempt is the one that its step chose."""
        return asset.attempt_id in self.context["chosen"]

    def get_durationS(self, asset: Any) -> float | None:  # noqa: N802
        """Seconds; null for stills."""
        return float(asset.duration_s) if asset.duration_s is not None else None


class FeedbackRow(Row):
    """One row of `feedback`."""

    secret = ("by",)

    runId = serializers.SerializerMethodField()
    stepId = Char(source="step_name", allow_null=True)
    assetId = Char(source="asset_name", allow_null=True)
    kind = Char()
    rater = Char()
    by = TextOrNull(source="principal_id", help_text="Who said it; null for a judge.")
    scores = serializers.JSONField()
    comment = TextOrNull()
    createdAt = EpochMs(source="created_at")

    def get_runId(self, vote: Any) -> str:  # noqa: N802
        """Its run."""
        return str(self.context["run_id"])


class RunDocument(serializers.Serializer[Any]):
    """A run and everything that belongs to it, at one moment."""

    run = RunRow()
    steps = StepRow(many=True)
    assets = AssetRow(many=True)
    feedback = FeedbackRow(many=True)
    remainingBudgetUsd = Usd()


class EventRow(Row):
    """One thing that happened to a run."""

    seq = Int()
    type = Char()
    subject = Char()
    actor = Char()
    reason = TextOrNull()
    happenedAt = EpochMs(source="happened_at")


def document(picture: Picture, *, secrets: bool) -> dict[str, Any]:
    """The JSON of a RunDocument; without what only the owner may see unless `secrets`."""
    run, steps = picture.run, picture.steps
    context: dict[str, Any] = {"secrets": secrets, "run_id": run.run_id, "run": run}
    attempts: dict[int, list[Any]] = {}
    tries = AttemptRow(picture.attempts, many=True, context=context).data
    for row, data in zip(picture.attempts, tries, strict=True):
        attempts.setdefault(row.step_id, []).append(data)
    context |= {
        "attempts": attempts,
        "step_ids": {step.pk: step.step_id for step in steps},
        "numbers": {attempt.pk: attempt.number for attempt in picture.attempts},
        # Before a step is done, its choice is only what approval would take.
        "chosen": {step.chosen_id for step in steps if step.status == StepStatus.DONE and step.chosen_id},
        "made": asks.Made.of(picture.attempts, picture.assets, picture.feedback),
    }
    return {
        "run": RunRow(run, context=context).data,
        "steps": StepRow(steps, many=True, context=context).data,
        "assets": AssetRow(picture.assets, many=True, context=context).data,
        "feedback": FeedbackRow(picture.feedback, many=True, context=context).data,
        "remainingBudgetUsd": float(picture.remaining_usd),
    }


def snapshot(run_id: str, caller: Caller) -> dict[str, Any]:
    """A RunDocument with what the caller may see. Raises NotFound when there is no such run for them."""
    picture = get_picture(run_id, caller)
    return document(picture, secrets=sees_secrets(picture.run, caller))
