"""Rows as JSON, in the words of the wire. Moments are ISO 8601 texts, but a lease's end is epoch milliseconds.

What is absent is left out, save a completed run's result and a payload, which may be null.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from flows.event import iso
from flows.leases import Lease, attempt_id
from flows.models import FlowAttempt, FlowEvent, FlowManifest, FlowOutput, FlowRun
from flows.states import NEED_ATTENTION, RunStatus

BACKEND = "zaps-flows"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def run_document(run: FlowRun) -> dict[str, Any]:
    """A run without its attempts and output."""
    document = _present(
        id=run.run_id,
        runId=run.run_id,
        eventId=run.event.event_id,
        flowName=run.flow_name,
        flowVersion=_number(run.flow_version),
        stepName=run.step_name,
        runner=run.runner,
        backend=BACKEND,
        status=run.status,
        effectiveStatus=run.result_status or run.status,
        needsAttention=run.result_status in NEED_ATTENTION,
        replay=run.replay,
        attemptCount=run.attempt_count,
        maxAttempts=run.max_attempts,
        priority=run.priority,
        waitsFor=_waits_for(run),
        isDead=run.is_dead,
        error=run.error,
        createdAt=iso(run.created_at),
        updatedAt=iso(run.updated_at),
        dueAt=iso(run.due_at) if run.status == RunStatus.QUEUED else None,
        startedAt=_moment(run.started_at),
        completedAt=_moment(run.completed_at),
    )
    return {**document, "result": run.result} if run.status == RunStatus.COMPLETED else document


def whole_run(run: FlowRun, attempts: Iterable[FlowAttempt], output: Iterable[FlowOutput]) -> dict[str, Any]:
    """A run with every attempt and the last of its output."""
    return {
        **run_document(run),
        "step": run.snapshot.get("step"),
        "attempts": [_attempt_document(run, attempt) for attempt in attempts],
        "output": [output_document(piece) for piece in output],
    }


def event_document(event: FlowEvent) -> dict[str, Any]:
    """An event; `raw` is all of it as it was sent, with the moment of its receipt."""
    named = _present(
        id=event.event_id, type=event.type, source=event.source, occurredAt=event.occurred_at,
        receivedAt=event.received_at,
    )  # fmt: skip
    return {
        **named,
        "eventId": event.event_id,
        "payload": event.payload,
        "raw": {**event.extra, **named, "payload": event.payload},
        "missed": event.missed,
        "replays": event.replays,
        "createdAt": iso(event.created_at),
    }


def output_document(piece: FlowOutput) -> dict[str, Any]:
    """One piece of output."""
    return {
        "attemptNumber": piece.attempt.number,
        "seq": piece.seq,
        "kind": piece.kind,
        "text": piece.text,
        "createdAt": iso(piece.created_at),
    }


def lease_document(lease: Lease) -> dict[str, Any]:
    """What a worker is told of a run that it claimed. The token is shown here and nowhere else."""
    return {
        "runId": lease.run_id,
        "attemptId": lease.attempt_id,
        "attemptNumber": lease.number,
        "maxAttempts": lease.max_attempts,
        "leaseToken": lease.token,
        "leaseExpiresAt": epoch_ms(lease.until),
        "flowName": lease.flow_name,
        "flowVersion": _number(lease.flow_version),
        "stepName": lease.step_name,
        "runner": lease.runner,
        "replay": lease.replay > 0,
        **lease.step,
        "event": lease.event,
    }


def manifest_document(manifest: FlowManifest) -> dict[str, Any]:
    """A flow as it was last synced."""
    return _present(
        name=manifest.name,
        version=_number(manifest.version),
        revision=manifest.revision,
        description=manifest.description,
        root=manifest.root,
        config=manifest.config,
        steps=manifest.steps,
        isDisabled=manifest.disabled_at is not None,
        syncedAt=iso(manifest.synced_at),
        createdAt=iso(manifest.created_at),
        updatedAt=iso(manifest.updated_at),
    )


def epoch_ms(moment: datetime) -> int:
    """Whole milliseconds since 1970."""
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _attempt_document(run: FlowRun, attempt: FlowAttempt) -> dict[str, Any]:
    public = attempt_id(run.run_id, attempt.number)
    return _present(
        id=public,
        attemptId=public,
        attemptNumber=attempt.number,
        status=attempt.status,
        workerId=attempt.worker_id,
        leaseExpiresAt=epoch_ms(attempt.lease_until),
        lastHeartbeatAt=iso(attempt.heartbeat_at),
        error=attempt.error,
        outputIsCut=attempt.is_output_cut,
        startedAt=iso(attempt.created_at),
        completedAt=_moment(attempt.completed_at),
    )


def _waits_for(run: FlowRun) -> str | None:
    if run.status != RunStatus.QUEUED:
        return None
    if run.is_held:
        return "concurrency"
    return "due" if run.due_at > run.updated_at else "worker"


def _present(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else iso(moment)


def _number(value: float) -> float | int:
    return int(value) if value == int(value) else value
