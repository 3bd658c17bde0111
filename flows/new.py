"""Making runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.ids import new_id
from flows import news, sql, transitions
from flows.clock import NOW
from flows.event import Event
from flows.manifest import Step

_RUNS = f"""
INSERT INTO flow_runs (run_id, event_id, flow_name, flow_version, step_name, replay, runner, snapshot, status, priority,
    labels, due_at, concurrency_key, concurrency_limit, is_held, attempt_count, max_attempts, backoff_ms, result_status,
    is_dead, canceled_by, is_told, created_at, updated_at)
SELECT run_id, event.id, flow, version, step, %(replay)s, runner, snapshot, 'queued', priority, labels,
    {NOW} + delay_ms * interval '1 millisecond', key, key_limit, key <> '', 0, max_attempts, backoff_ms, '', false, '',
    false, {NOW}, {NOW}
FROM event CROSS JOIN ROWS FROM (jsonb_to_recordset(%(new)s::jsonb) AS (run_id text, flow text, version float8,
    step text, runner text, snapshot jsonb, priority int, labels jsonb, delay_ms int8, key text, key_limit int,
    max_attempts int, backoff_ms int)) WITH ORDINALITY AS new (run_id, flow, version, step, runner, snapshot, priority,
    labels, delay_ms, key, key_limit, max_attempts, backoff_ms, place)
ORDER BY place
"""
_ADD = f"WITH event AS (SELECT %(event)s::int8 AS id) {_RUNS}"
_ACCEPT = f"""
WITH event AS (
    INSERT INTO flow_events (event_id, type, source, occurred_at, received_at, payload, extra, digest, missed, replays,
        created_at)
    VALUES (%(id)s, %(type)s, %(source)s, %(occurred_at)s, %(received_at)s, %(payload)s, %(extra)s, %(digest)s,
        %(missed)s, 0, {NOW})
    ON CONFLICT (event_id) DO NOTHING RETURNING id
), made AS ({_RUNS})
SELECT id FROM event
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run to be made. `key` is the concurrency key with the event's values in it; "" for none."""

    flow: str
    version: float
    step: Step
    key: str
    snapshot: dict[str, Any]


def accept(
    event: Event, new: Sequence[NewRun], missed: Sequence[Mapping[str, str]], *, at: datetime | None
) -> list[str] | None:
    """Store an event and make its runs, in this order: their ids; None where the event's id is known already.

    One statement, and with concurrency keys more: then it belongs into a transaction.
    """
    rows = [_row(one) for one in new]
    found = sql.rows(
        _ACCEPT,
        {
            "id": event.id, "type": event.type, "source": event.source, "occurred_at": event.occurred_at,
            "received_at": event.received_at, "payload": sql.text(event.payload), "extra": sql.text(event.extra),
            "digest": event.digest, "missed": sql.text(missed), "replay": 0, "new": sql.text(rows), "at": at,
        },
    )  # fmt: skip
    return _begun(new, rows) if found else None


def add(new: Sequence[NewRun], *, event: int, replay: int, at: datetime | None) -> list[str]:
    """Make further runs of a stored event, as `accept` does."""
    rows = [_row(one) for one in new]
    sql.count(_ADD, {"event": event, "replay": replay, "at": at, "new": sql.text(rows)})
    return _begun(new, rows)


def _begun(new: Sequence[NewRun], rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """One of a key that is busy is held until it has its turn."""
    transitions.give_turns([one.key for one in new])
    if new:
        news.work_soon()
    return [row["run_id"] for row in rows]


def _row(one: NewRun) -> dict[str, Any]:
    return {
        "run_id": new_id("frun"), "flow": one.flow, "version": one.version, "step": one.step.name,
        "runner": one.step.runner, "snapshot": one.snapshot, "priority": one.step.priority, "labels": one.step.labels,
        "delay_ms": one.step.delay_ms, "key": one.key, "key_limit": one.step.concurrency_limit,
        "max_attempts": one.step.max_attempts, "backoff_ms": one.step.backoff_ms,
    }  # fmt: skip
