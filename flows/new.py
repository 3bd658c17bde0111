"""Making runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.ids import new_id
from flows import sql, transitions
from flows.clock import NOW
from flows.manifest import Step

_ADD = f"""
INSERT INTO flow_runs (run_id, event_id, flow_name, flow_version, step_name, replay, runner, snapshot, status, priority,
    labels, due_at, concurrency_key, concurrency_limit, is_held, attempt_count, max_attempts, backoff_ms, result_status,
    is_dead, canceled_by, is_told, created_at, updated_at)
SELECT run_id, %(event)s, flow, version, step, %(replay)s, runner, snapshot, 'queued', priority, labels,
    {NOW} + delay_ms * interval '1 millisecond', key, key_limit, key <> '', 0, max_attempts, backoff_ms, '', false, '',
    false, {NOW}, {NOW}
FROM unnest(%(run_ids)s::text[], %(flows)s::text[], %(versions)s::float8[], %(steps)s::text[], %(runners)s::text[],
    %(snapshots)s::jsonb[], %(priorities)s::int[], %(labels)s::jsonb[], %(delays_ms)s::int8[], %(keys)s::text[],
    %(key_limits)s::int[], %(attempts)s::int[], %(backoffs_ms)s::int[])
    WITH ORDINALITY AS new (run_id, flow, version, step, runner, snapshot, priority, labels, delay_ms, key, key_limit,
    max_attempts, backoff_ms, place)
ORDER BY place
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRun:
    """A run to be made. `key` is the concurrency key with the event's values in it; "" for none."""

    flow: str
    version: float
    step: Step
    key: str
    snapshot: dict[str, Any]


def add(new: Sequence[NewRun], *, event: int, replay: int, at: datetime | None) -> list[str]:
    """Make runs of one event, in this order: their ids. One of a key that is busy is held until it has its turn."""
    if not new:
        return []
    run_ids = [new_id("frun") for _ in new]
    sql.count(
        _ADD,
        {
            "event": event, "replay": replay, "at": at, "run_ids": run_ids,
            "flows": [one.flow for one in new],
            "versions": [one.version for one in new],
            "steps": [one.step.name for one in new],
            "runners": [str(one.step.runner) for one in new],
            "snapshots": [sql.text(one.snapshot) for one in new],
            "priorities": [one.step.priority for one in new],
            "labels": [sql.text(one.step.labels) for one in new],
            "delays_ms": [one.step.delay_ms for one in new],
            "keys": [one.key for one in new],
            "key_limits": [one.step.concurrency_limit for one in new],
            "attempts": [one.step.max_attempts for one in new],
            "backoffs_ms": [one.step.backoff_ms for one in new],
        },
    )  # fmt: skip
    transitions.give_turns([one.key for one in new])
    return run_ids
