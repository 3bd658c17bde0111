"""The answers' shapes, for the OpenAPI document: flows.api.documents makes what they describe."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from flows.states import AttemptStatus, OutputKind, ResultStatus, Runner, RunStatus

#: who may ask for what; a body that is signed comes from a sender
READ: Any = [{"token": []}, {"flowKey": []}, {"cookieAuth": []}]
SEND: Any = [*READ, {"flowSignature": []}]

CURSOR = OpenApiParameter("cursor", str, description="The `nextCursor` of the page before.")
LIMIT = OpenApiParameter("limit", int, description="How many: 50 for 0 or none; brought into 1 to 500.")
RUNNERS = sorted(map(str, Runner))
RUN_STATUSES = sorted(map(str, RunStatus))
ATTEMPT_STATUSES = sorted(map(str, AttemptStatus))
SHOWN_STATUSES = sorted({*map(str, RunStatus), *map(str, ResultStatus)})
RUN_FILTERS = [
    OpenApiParameter("eventId", str, description="Of this event."),
    OpenApiParameter("status", str, enum=SHOWN_STATUSES, description="The run's own status, or what its result says."),
    OpenApiParameter("flowName", str, description="Of this flow."),
    OpenApiParameter("runner", str, enum=RUNNERS, description="For this runner."),
    OpenApiParameter("needsAttention", bool, description="Only what a person must look at."),
]
WAIT = OpenApiParameter("wait", bool, description="Answer when the runs have ended, or in 25 s.")


class FlowStepDefinition(serializers.Serializer[Any]):
    """A step as its manifest has it."""

    name = serializers.CharField()
    runner = serializers.ChoiceField(RUNNERS)
    script = serializers.CharField()
    timeoutMs = serializers.IntegerField(required=False)
    cwd = serializers.CharField(required=False)
    trigger = serializers.DictField(required=False, help_text="`{type, schema?, schemaJson?}`")
    labels = serializers.ListField(child=serializers.CharField(), required=False)
    priority = serializers.IntegerField(required=False)
    delayMs = serializers.IntegerField(required=False)
    maxAttempts = serializers.IntegerField(required=False)
    backoffMs = serializers.IntegerField(required=False)
    retryOnFail = serializers.BooleanField(required=False)
    concurrency = serializers.DictField(required=False, help_text="`{key, limit?}`")


class FlowAttemptRow(serializers.Serializer[Any]):
    """One worker's try at a run."""

    id = serializers.CharField()
    attemptId = serializers.CharField()
    attemptNumber = serializers.IntegerField()
    status = serializers.ChoiceField(ATTEMPT_STATUSES)
    workerId = serializers.CharField()
    leaseExpiresAt = serializers.IntegerField(help_text="Milliseconds since 1970.")
    lastHeartbeatAt = serializers.CharField()
    error = serializers.CharField(required=False)
    outputIsCut = serializers.BooleanField()
    startedAt = serializers.CharField()
    completedAt = serializers.CharField(required=False)


class FlowOutputRow(serializers.Serializer[Any]):
    """One piece of output."""

    attemptNumber = serializers.IntegerField()
    seq = serializers.IntegerField()
    kind = serializers.ChoiceField(sorted(map(str, OutputKind)))
    text = serializers.CharField()
    createdAt = serializers.CharField()


class FlowRunRow(serializers.Serializer[Any]):
    """A run. Moments are ISO 8601; what is absent is left out."""

    id = serializers.CharField()
    runId = serializers.CharField()
    eventId = serializers.CharField()
    flowName = serializers.CharField()
    flowVersion = serializers.FloatField()
    stepName = serializers.CharField()
    runner = serializers.ChoiceField(RUNNERS)
    backend = serializers.CharField()
    status = serializers.ChoiceField(RUN_STATUSES)
    effectiveStatus = serializers.ChoiceField(SHOWN_STATUSES)
    needsAttention = serializers.BooleanField()
    replay = serializers.IntegerField(help_text="0: the dispatch; else which replay.")
    attemptCount = serializers.IntegerField()
    maxAttempts = serializers.IntegerField()
    priority = serializers.IntegerField()
    waitsFor = serializers.ChoiceField(["concurrency", "due", "worker"], required=False)
    isDead = serializers.BooleanField(help_text="No attempt is left; it can be redriven.")
    error = serializers.CharField(required=False)
    result = serializers.JSONField(required=False, allow_null=True)
    createdAt = serializers.CharField()
    updatedAt = serializers.CharField()
    dueAt = serializers.CharField(required=False)
    startedAt = serializers.CharField(required=False)
    completedAt = serializers.CharField(required=False)


class FlowWholeRun(FlowRunRow):
    """A run with its attempts and the last of its output: 500 pieces, or a million bytes."""

    step = FlowStepDefinition()
    attempts = FlowAttemptRow(many=True)
    output = FlowOutputRow(many=True)


class FlowEventBody(serializers.Serializer[Any]):
    """An event. Further fields are kept and handed on."""

    id = serializers.CharField(max_length=1000, help_text="The caller's; sent again, it names the same runs.")
    type = serializers.CharField(max_length=300)
    source = serializers.CharField(required=False, allow_null=True)  # type: ignore[assignment]
    occurredAt = serializers.CharField(required=False, allow_null=True)
    receivedAt = serializers.CharField(required=False, allow_null=True)
    payload = serializers.JSONField(required=False, allow_null=True)


class FlowMiss(serializers.Serializer[Any]):
    """A step that listens to an event's type and did not start."""

    flow = serializers.CharField()
    step = serializers.CharField()
    reason = serializers.CharField()


class FlowEventRow(FlowEventBody):
    """An event as it was accepted."""

    eventId = serializers.CharField()
    raw = serializers.DictField(help_text="All of it, with receivedAt.")
    missed = FlowMiss(many=True)
    replays = serializers.IntegerField()
    createdAt = serializers.CharField()


class FlowDispatched(serializers.Serializer[Any]):
    """What became of an event."""

    status = serializers.ChoiceField(["accepted", "duplicate"])
    eventId = serializers.CharField()
    runIds = serializers.ListField(child=serializers.CharField())
    matched = serializers.IntegerField(help_text="How many runs this call made.")
    idempotent = serializers.BooleanField()
    missed = FlowMiss(many=True)
    event = FlowEventRow()
    runs = FlowRunRow(many=True)


class FlowReplayBody(serializers.Serializer[Any]):
    """How an event is replayed."""

    wait = serializers.BooleanField(required=False)


class FlowEventPage(serializers.Serializer[Any]):
    """Some events."""

    events = FlowEventRow(many=True)
    nextCursor = serializers.CharField(required=False)


class FlowEventDocument(serializers.Serializer[Any]):
    """One event with its runs."""

    event = FlowEventRow()
    runs = FlowRunRow(many=True)


class FlowRunPage(serializers.Serializer[Any]):
    """Some runs."""

    runs = FlowRunRow(many=True)
    eventId = serializers.CharField(required=False)
    nextCursor = serializers.CharField(required=False)


class FlowRunDocument(serializers.Serializer[Any]):
    """One run."""

    run = FlowWholeRun()


class FlowOutputPage(serializers.Serializer[Any]):
    """Some of a run's output."""

    output = FlowOutputRow(many=True)
    next = serializers.CharField(help_text="Where to go on: `?after=`.")
    isFinal = serializers.BooleanField(help_text="Nothing is added any more.")


class FlowLease(serializers.Serializer[Any]):
    """A claimed run, and everything that is needed to carry it out."""

    runId = serializers.CharField()
    attemptId = serializers.CharField()
    attemptNumber = serializers.IntegerField(
        help_text="Only grows: an attempt with a greater one has replaced this one."
    )
    maxAttempts = serializers.IntegerField()
    leaseToken = serializers.CharField(help_text="Shown here and nowhere else.")
    leaseExpiresAt = serializers.IntegerField(help_text="Milliseconds since 1970; valid up to and with it.")
    flowName = serializers.CharField()
    flowVersion = serializers.FloatField()
    stepName = serializers.CharField()
    runner = serializers.ChoiceField(RUNNERS)
    replay = serializers.BooleanField()
    step = FlowStepDefinition()
    config = serializers.JSONField(allow_null=True)
    root = serializers.CharField(allow_blank=True)  # type: ignore[assignment]
    revision = serializers.IntegerField()
    event = serializers.DictField(help_text="As it was sent, with receivedAt.")


class FlowClaimed(FlowLease):
    """One claimed run; with `count` there is only `claims`."""

    claims = FlowLease(many=True, required=False)

    def get_fields(self) -> dict[str, Any]:
        """Nothing is required, for it is one or the other."""
        fields: dict[str, Any] = super().get_fields()
        for field in fields.values():
            field.required = False
        return fields


class FlowBeat(serializers.Serializer[Any]):
    """A lease that was kept."""

    status = serializers.ChoiceField(["running"])
    leaseExpiresAt = serializers.IntegerField()


class FlowStored(serializers.Serializer[Any]):
    """How far the output is stored."""

    lastSeq = serializers.IntegerField()
    isCut = serializers.BooleanField(help_text="What came beyond the attempt's 10 MB was thrown away.")


class FlowReported(serializers.Serializer[Any]):
    """What a report made of the run."""

    status = serializers.ChoiceField(["completed", "failed", "queued"])
    runId = serializers.CharField()


class FlowManifestBody(serializers.Serializer[Any]):
    """A flow as its author wrote it."""

    name = serializers.CharField(required=False, max_length=200)
    version = serializers.FloatField()
    description = serializers.CharField(required=False, allow_blank=True)
    root = serializers.CharField(required=False, allow_blank=True)  # type: ignore[assignment]
    config = serializers.JSONField(required=False, allow_null=True)
    steps = FlowStepDefinition(many=True, required=False)


class FlowManifestRow(FlowManifestBody):
    """A flow as it was last synced."""

    revision = serializers.IntegerField()
    isDisabled = serializers.BooleanField()
    syncedAt = serializers.CharField()
    createdAt = serializers.CharField()
    updatedAt = serializers.CharField()


class FlowManifestPage(serializers.Serializer[Any]):
    """Some flows."""

    manifests = FlowManifestRow(many=True)
    nextCursor = serializers.CharField(required=False)


class FlowManifestDocument(serializers.Serializer[Any]):
    """One flow."""

    manifest = FlowManifestRow()


class FlowSynced(FlowManifestDocument):
    """A flow that was synced."""

    status = serializers.ChoiceField(["created", "updated"])
