"""How runs look on the wire; the only place that knows both our words and the callers'."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import Address, EpochMs, TextOrNull, Usd
from core.api.links import public_url
from runs.faults import explain
from runs.models import Run
from runs.queries import Picture

Char, Int, Float, Json = serializers.CharField, serializers.IntegerField, serializers.FloatField, serializers.JSONField


class ErrorDetail(serializers.Serializer[Any]):
    """An error code in words."""

    code = Char()
    message = Char()
    remediation = Char()
    retryable = serializers.BooleanField()


def error_detail(code: str) -> dict[str, Any] | None:
    """`code` in words; None where nothing failed."""
    if not code:
        return None
    fault = explain(code)
    return {"code": code, "message": fault.message, "remediation": fault.remediation, "retryable": fault.retryable}


class Row(serializers.Serializer[Any]):
    """A row whose `secret` fields only its owner and staff are shown (the context says who looks)."""

    secret: tuple[str, ...] = ()

    def get_fields(self) -> dict[str, Any]:
        """Without the secret ones, unless the context has `secrets`."""
        fields = super().get_fields()
        if not self.context.get("secrets", True):
            for name in self.secret:
                del fields[name]
        return fields


class Failable(Row):
    """Something that may have failed: a stable code, null where it did not, and beside it the code in words."""

    error = TextOrNull()
    errorDetail = serializers.SerializerMethodField()

    @extend_schema_field(ErrorDetail(allow_null=True))
    def get_errorDetail(self, row: Any) -> dict[str, Any] | None:  # noqa: N802 (the wire's word)
        """The code in words."""
        return error_detail(row.error)


class RunRow(Failable):
    """One row of `runs`."""

    secret = ("sessionId", "userId", "principalId")

    runId = Char(source="run_id")
    zapSlug = Char(source="zap_slug")
    zapVersion = Int(source="zap_version", help_text="0: the recipe came with the request, or is an unpublished draft.")
    zapUrl = Address(source="zap_url", allow_null=True, help_text="The finished film.")
    status = Char()
    stage = Char()
    waitReason = Char(source="wait_reason", allow_null=True)
    providerMode = Char(source="provider_mode")
    sessionId = TextOrNull(source="session_id")
    userId = serializers.SerializerMethodField()
    principalId = TextOrNull(source="principal_id")
    inputs = Json()
    contentHash = Char(source="content_hash")
    revision = Int()
    quoteUsd = Usd(source="quote_usd")
    capUsd = Usd(source="cap_usd")
    reservedUsd = Usd(source="reserved_usd")
    costUsd = Usd(source="cost_usd")
    startedAt = EpochMs(source="started_at")
    finishedAt = EpochMs(source="finished_at", allow_null=True)
    statusUrl = serializers.SerializerMethodField()
    eventsUrl = serializers.SerializerMethodField()

    def get_userId(self, run: Run) -> str | None:  # noqa: N802
        """The owner's id; null for a run that nobody owns."""
        return str(run.owner_id) if run.owner_id is not None else None

    def get_statusUrl(self, run: Run) -> str:  # noqa: N802
        """Where this run is read."""
        return public_url(f"/api/runs/{run.run_id}")

    def get_eventsUrl(self, run: Run) -> str:  # noqa: N802
        """Where its snapshots are streamed."""
        return public_url(f"/api/runs/{run.run_id}/events")


class AttemptRow(Failable):
    """One try at a step."""

    secret = ("idemKey", "providerRequestId")

    number = Int()
    status = Char()
    provider = Char()
    model = TextOrNull()
    idemKey = Char(source="idem_key")
    providerRequestId = TextOrNull(source="provider_request_id")
    progress = Float(allow_null=True)
    queuePosition = Int(source="queue_position", allow_null=True)
    seed = Int(allow_null=True)
    logs = serializers.ListField(child=Char())
    polls = Int()
    tries = Int()
    priceQuoteUsd = Usd(source="quote_usd")
    actualUsd = Usd(source="actual_usd", allow_null=True)
    costSource = TextOrNull(source="cost_source")
    createdAt = EpochMs(source="created_at")
    submittedAt = EpochMs(source="submitted_at", allow_null=True)
    acceptedAt = EpochMs(source="accepted_at", allow_null=True)
    settlingAt = EpochMs(source="settling_at", allow_null=True)
    finishedAt = EpochMs(source="finished_at", allow_null=True)
    nextCheckAt = EpochMs(source="due_at", allow_null=True)


class StepRow(Failable):
    """One row of `steps`, with its attempts."""

    secret = ("idemKey", "providerRequestId")

    stepId = Char(source="step_id")
    runId = serializers.SerializerMethodField()
    order = Int(source="position", help_text="Place in the recipe, from 0.")
    kind = Char()
    provider = Char()
    model = TextOrNull()
    status = Char()
    waitReason = Char(source="wait_reason", allow_null=True)
    progress = Float(help_text="0 to 1.")
    parents = serializers.ListField(child=Char(), help_text="Ids of the steps that must be done first.")
    idemKey = TextOrNull(source="idem_key")
    providerRequestId = TextOrNull(source="provider_request_id")
    priceQuoteUsd = Usd(source="price_quote_usd")
    actualUsd = Usd(source="actual_usd", allow_null=True)
    startedAt = EpochMs(source="started_at", allow_null=True)
    finishedAt = EpochMs(source="finished_at", allow_null=True)
    attempts = serializers.SerializerMethodField()

    def get_runId(self, step: Any) -> str:  # noqa: N802
        """Its run."""
        return str(self.context["run_id"])

    @extend_schema_field(AttemptRow(many=True))
    def get_attempts(self, step: Any) -> list[dict[str, Any]]:
        """Its tries, oldest first."""
        return list(self.context["attempts"].get(step.pk, ()))


class AssetRow(Row):
    """One row of `assets`."""

    secret = ("storageKey",)

    assetId = Char(source="asset_id")
    runId = serializers.SerializerMethodField()
    stepId = serializers.SerializerMethodField()
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

    def get_durationS(self, asset: Any) -> float | None:  # noqa: N802
        """Seconds; null for stills."""
        return float(asset.duration_s) if asset.duration_s is not None else None


class FeedbackRow(Row):
    """One row of `feedback`."""

    runId = serializers.SerializerMethodField()
    stepId = Char(source="step_name", allow_null=True)
    assetId = Char(source="asset_name", allow_null=True)
    kind = Char()
    rater = Char()
    scores = Json()
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
    context: dict[str, Any] = {"secrets": secrets, "run_id": picture.run.run_id}
    attempts: dict[int, list[Any]] = {}
    tries = AttemptRow(picture.attempts, many=True, context=context).data
    for row, data in zip(picture.attempts, tries, strict=True):
        attempts.setdefault(row.step_id, []).append(data)
    context |= {"attempts": attempts, "step_ids": {step.pk: step.step_id for step in picture.steps}}
    return {
        "run": RunRow(picture.run, context=context).data,
        "steps": StepRow(picture.steps, many=True, context=context).data,
        "assets": AssetRow(picture.assets, many=True, context=context).data,
        "feedback": FeedbackRow(picture.feedback, many=True, context=context).data,
        "remainingBudgetUsd": float(picture.remaining_usd),
    }
