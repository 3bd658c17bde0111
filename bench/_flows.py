"""What `bench.flows` fills its tables with, and what its worker processes do."""

import os
from collections.abc import Callable
from typing import Any

from django.db import transaction

from bench import _place as place

MANIFESTS, LISTENERS = 1000, 10
PAYLOAD = {"repo": "zaps", "branch": "main", "files": ["a.py", "b.py"], "author": {"name": "Ada"}}

_EVENTS = """
INSERT INTO flow_events (event_id, type, received_at, payload, extra, digest, missed, replays, created_at)
SELECT %(name)s || n, 'filled', '2026-11-21T12:00:00Z', '{"n": 1}', '{}', '', '[]', 0, now()
FROM generate_series(1, %(count)s) n
"""
_RUNS = """
INSERT INTO flow_runs (run_id, event_id, flow_name, flow_version, step_name, replay, runner, snapshot, status, priority,
    labels, due_at, concurrency_key, concurrency_limit, is_held, attempt_count, max_attempts, backoff_ms, result,
    result_status, is_dead, canceled_by, is_told, created_at, updated_at, started_at, completed_at)
SELECT 'frun_' || %(name)s || e.id, e.id, 'ci', 1, 'build', 0, 'python',
    '{"step": {"name": "build", "runner": "python", "script": "a.py"}, "config": null, "root": "", "revision": 1}',
    CASE WHEN done THEN 'completed' ELSE 'queued' END, 0, '[]', now(), '', 1, false, done::int, 3, 1000,
    CASE WHEN done THEN '{"status": "changed"}'::jsonb END, CASE WHEN done THEN 'changed' ELSE '' END, false, '', done,
    now(), now(), CASE WHEN done THEN now() END, CASE WHEN done THEN now() END
FROM flow_events e, (SELECT %(done)s::bool AS done) d WHERE e.event_id LIKE %(name)s || '%%'
"""
_ATTEMPTS = """
INSERT INTO flow_attempts (run_id, number, status, worker_id, token_digest, lease_until, heartbeat_at, output_seq,
    output_bytes, is_output_cut, answer_digest, created_at, completed_at)
SELECT r.id, 1, 'completed', 'w', sha256(r.run_id::bytea), now(), now(), 0, 0, false, '', now(), now()
FROM flow_runs r WHERE r.run_id LIKE 'frun_' || %(name)s || '%%'
"""
_TIDY = ("VACUUM ANALYZE flow_runs", "VACUUM ANALYZE flow_events", "VACUUM ANALYZE flow_attempts", "CHECKPOINT")


def fill(name: str, count: int, *, done: bool = False) -> None:
    """So many runs that wait, or that have ended; each has an event of its own. `name`: small letters."""
    place.execute(_EVENTS, name=name, count=count)
    place.execute(_RUNS, name=name, done=done)
    if done:
        place.execute(_ATTEMPTS, name=name)
    for statement in _TIDY:
        place.execute(statement)


def sync() -> None:
    """A thousand flows, ten of which listen to one type; half of these want another branch."""
    from flows import manifests  # noqa: PLC0415 (after own_servers)

    with transaction.atomic():
        for number in range(MANIFESTS):
            at = number // (MANIFESTS // LISTENERS) if number % (MANIFESTS // LISTENERS) == 0 else None
            trigger = {
                "type": f"other-{number}" if at is None else "pushed",
                "schemaJson": _schema(at or 0),
            }
            step = {"name": "build", "runner": "node", "script": "a.js", "trigger": trigger}
            manifests.sync({"name": f"flow-{number}", "version": 1, "steps": [step]})


def _schema(number: int) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["repo", "branch", "author"],
        "properties": {
            "repo": {"type": "string", "minLength": 1, "description": f"of flow {number}"},
            "branch": {"const": "release" if number % 2 else "main"},
            "files": {"type": "array", "items": {"type": "string"}},
            "author": {"type": "object", "required": ["name"]},
        },
    }


def dispatches(name: str, batch: int) -> Callable[[], int]:
    """A function that dispatches one event, which starts half of the flows that listen: 1."""
    from flows import events  # noqa: PLC0415 (after own_servers)

    count = 0

    def once() -> int:
        nonlocal count
        count += 1
        done = events.dispatch({"id": f"{name}-{os.getpid()}-{count}", "type": "pushed", "payload": PAYLOAD})
        return int(done.matched == LISTENERS // 2)

    return once


def claims(name: str, batch: int) -> Callable[[], int]:
    """A function that claims up to `batch` runs: how many it got."""
    from flows.claims import claim  # noqa: PLC0415 (after own_servers)

    return lambda: len(claim(name, count=batch, runners=["python"]))


def pairs(name: str, batch: int) -> Callable[[], int]:
    """A function that claims runs and completes them."""
    from flows.claims import claim  # noqa: PLC0415 (after own_servers)
    from flows.results import complete  # noqa: PLC0415

    def once() -> int:
        leases = claim(name, count=batch, runners=["python"])
        for lease in leases:
            complete(lease.attempt_id, lease.token, {"status": "changed"})
        return len(leases)

    return once
