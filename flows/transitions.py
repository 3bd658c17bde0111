"""Every change of a run's or an attempt's status. Each is one statement that names the states it may leave.

A run is locked before its attempt, everywhere, and a concurrency key after both.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from flows import news, sql
from flows.clock import NOW

_MAX_BACKOFF_MS = 300_000
# Half as much to half as much again, so that what failed together does not come back together.
_BACKOFF = (
    f"least({_MAX_BACKOFF_MS}, r.backoff_ms * power(2, least(r.attempt_count, 20) - 1)) * (0.5 + random())"
    " * interval '1 millisecond'"
)
_FINAL = "completed_at = {now}, is_told = %(told)s"

# What is the same for most claims stands in the text, not in its values: PostgreSQL plans such a statement once for a
# connection. To plan takes it nearly as long as to claim.
_CLAIM = f"""
WITH picked AS (
    SELECT id FROM flow_runs
    WHERE status = 'queued' AND NOT is_held AND runner = %(runner)s AND due_at <= {NOW} AND {{wanted}}
    ORDER BY priority DESC, due_at, id LIMIT {{count}} FOR UPDATE SKIP LOCKED
), placed AS (
    SELECT id, {{place}} AS place FROM picked
), taken AS (
    UPDATE flow_runs AS r
    SET status = 'running', attempt_count = attempt_count + 1, updated_at = {NOW},
        started_at = coalesce(started_at, {NOW})
    FROM placed WHERE r.id = placed.id
    RETURNING r.id, r.run_id, r.event_id, r.flow_name, r.flow_version, r.step_name, r.runner, r.replay, r.snapshot,
        r.attempt_count, r.max_attempts, placed.place
), leased AS (
    INSERT INTO flow_attempts (run_id, number, status, worker_id, token_digest, lease_until, heartbeat_at, output_seq,
        output_bytes, is_output_cut, answer_digest, created_at)
    SELECT id, attempt_count, 'running', %(worker)s, {{digest}}, {NOW} + %(lease_ms)s * interval '1 millisecond', {NOW},
        0, 0, false, '', {NOW}
    FROM taken
)
SELECT taken.place, taken.run_id, taken.flow_name, taken.flow_version, taken.step_name, taken.runner, taken.replay,
    taken.snapshot, taken.attempt_count, taken.max_attempts, {NOW} + %(lease_ms)s * interval '1 millisecond',
    e.event_id, e.type, e.source, e.occurred_at, e.received_at, e.payload, e.extra
FROM taken JOIN flow_events AS e ON e.id = taken.event_id
"""


@cache
def _claim_text(is_single: bool, of_some_flows: bool, with_labels: bool) -> str:
    labels = "%(labels)s::jsonb" if with_labels else "'[]'::jsonb"
    wanted = f"labels <@ {labels}" + (" AND flow_name = ANY(%(flows)s::text[])" if of_some_flows else "")
    if is_single:
        return _CLAIM.format(wanted=wanted, count="1", place="1", digest="%(digest)s::bytea")
    text = _CLAIM.format(
        wanted=wanted, count="%(count)s", place="row_number() OVER ()", digest="(%(digests)s::bytea[])[place]"
    )
    return f"{text} ORDER BY taken.place"


# Which run an attempt is of is read with the run's lock held; whose it is, with the attempt's.
_HELD_RUN = "run AS (SELECT id FROM flow_runs WHERE run_id = %(run)s AND status = 'running' FOR UPDATE)"
_MINE = (
    "a.run_id = run.id AND a.number = %(number)s AND a.token_digest = %(digest)s AND a.status = 'running'"
    f" AND a.lease_until >= {NOW}"
)

_HEARTBEAT = f"""
UPDATE flow_attempts AS a
SET lease_until = greatest(a.lease_until, {NOW} + %(lease_ms)s * interval '1 millisecond'), heartbeat_at = {NOW}
FROM flow_runs AS run
WHERE run.run_id = %(run)s AND {_MINE}
RETURNING a.lease_until
"""

_COMPLETE = f"""
WITH {_HELD_RUN}, ended AS (
    UPDATE flow_attempts AS a SET status = 'completed', completed_at = {NOW}, answer_digest = %(answer)s
    FROM run WHERE {_MINE} RETURNING a.run_id
)
UPDATE flow_runs AS r
SET status = 'completed', result = %(result)s::jsonb, result_status = %(result_status)s, error = NULL,
    updated_at = {NOW}, {_FINAL.format(now=NOW)}
FROM ended WHERE r.id = ended.run_id
RETURNING r.id, r.concurrency_key
"""

_REQUEUE = f"""
    status = CASE WHEN {{again}} THEN 'queued' ELSE 'failed' END,
    due_at = CASE WHEN {{again}} THEN {NOW} + {{wait}} ELSE r.due_at END,
    completed_at = CASE WHEN {{again}} THEN NULL ELSE {NOW} END,
    is_told = CASE WHEN {{again}} THEN false ELSE %(told)s END,
    is_dead = NOT {{again}} AND {{exhausted}},
    error = {{error}}, updated_at = {NOW}
"""

_FAIL = f"""
WITH {_HELD_RUN}, ended AS (
    UPDATE flow_attempts AS a
    SET status = 'failed', completed_at = {NOW}, answer_digest = %(answer)s, error = %(error)s
    FROM run WHERE {_MINE} RETURNING a.run_id
)
UPDATE flow_runs AS r SET {
    _REQUEUE.format(
        again="(%(retry)s AND r.attempt_count < r.max_attempts)",
        exhausted="%(retry)s",
        wait=_BACKOFF,
        error="%(error)s",
    )
}
FROM ended WHERE r.id = ended.run_id
RETURNING r.id, r.status, r.concurrency_key
"""

_RELEASE = f"""
WITH {_HELD_RUN}, ended AS (
    UPDATE flow_attempts AS a SET status = 'failed', completed_at = {NOW}, answer_digest = %(answer)s,
        error = 'The worker gave the run back.'
    FROM run WHERE {_MINE} RETURNING a.run_id
)
UPDATE flow_runs AS r SET {
    _REQUEUE.format(
        again="(r.attempt_count < r.max_attempts)",
        exhausted="true",
        wait="%(delay_ms)s * interval '1 millisecond'",
        error="CASE WHEN r.attempt_count < r.max_attempts THEN NULL"
        " ELSE 'The worker gave the run back, and no attempt was left.' END",
    )
}
FROM ended WHERE r.id = ended.run_id
RETURNING r.id, r.status, r.concurrency_key
"""

EXPIRED = "The lease ran out before the worker was heard again."
_EXPIRE = f"""
WITH late AS (
    SELECT a.id, a.run_id FROM flow_attempts AS a JOIN flow_runs AS r ON r.id = a.run_id
    WHERE a.status = 'running' AND a.lease_until < {NOW}
    ORDER BY a.lease_until LIMIT %(count)s FOR UPDATE OF r SKIP LOCKED
), ended AS (
    UPDATE flow_attempts AS a SET status = 'failed', completed_at = {NOW}, error = %(error)s
    FROM late WHERE a.id = late.id AND a.status = 'running' AND a.lease_until < {NOW} RETURNING a.run_id
)
UPDATE flow_runs AS r SET {
    _REQUEUE.format(
        again="(r.attempt_count < r.max_attempts)",
        exhausted="true",
        wait=_BACKOFF,
        error="CASE WHEN r.attempt_count < r.max_attempts THEN NULL ELSE %(error)s END",
    )
}
FROM ended WHERE r.id = ended.run_id
RETURNING r.id, r.run_id, r.status, r.concurrency_key
"""

_CANCEL = f"""
WITH run AS (
    SELECT id, is_held FROM flow_runs WHERE run_id = %(run)s AND status IN ('queued', 'running') FOR UPDATE
), stopped AS (
    UPDATE flow_attempts AS a SET status = 'canceled', completed_at = {NOW}
    FROM run WHERE a.run_id = run.id AND a.status = 'running'
)
UPDATE flow_runs AS r
SET status = 'canceled', is_held = false, canceled_by = %(who)s, updated_at = {NOW}, {_FINAL.format(now=NOW)}
FROM run WHERE r.id = run.id
RETURNING r.id, CASE WHEN run.is_held THEN '' ELSE r.concurrency_key END
"""

# A statement of its own, before the cancel: one that waits for a lock sees no attempt that was made meanwhile.
_LOCK_RUN = "SELECT FROM flow_runs WHERE run_id = %(run)s FOR UPDATE"

# As many held runs as there is room for. One that somebody else has locked is left to them, or to the sweep.
# What is picked stands in a WITH, which is read once: a subquery with a limit may be planned to be read for every row,
# and each time it would skip what it has just taken.
_UNHOLD = """
WITH next AS (
    SELECT h.id FROM flow_runs AS h
    WHERE h.concurrency_key = %(key)s AND h.status = 'queued' AND h.is_held
    ORDER BY h.priority DESC, h.due_at, h.id
    LIMIT greatest(0, (
        SELECT max(o.concurrency_limit) - count(*) FILTER (WHERE NOT o.is_held) FROM flow_runs AS o
        WHERE o.concurrency_key = %(key)s AND o.status IN ('queued', 'running')
    ))
    FOR UPDATE SKIP LOCKED
)
UPDATE flow_runs AS r SET is_held = false, updated_at = statement_timestamp() FROM next WHERE r.id = next.id
"""
_LOCK_KEY = "SELECT pg_advisory_xact_lock(hashtextextended('flows:' || %(key)s, 0))"


def claim(
    *, runner: str, worker: str, digests: Sequence[bytes], lease_ms: int, flows: Sequence[str] | None,
    labels: Sequence[str], at: datetime | None,
) -> list[tuple[Any, ...]]:  # fmt: skip
    """Give a worker up to as many runs of one runner as there are digests of fresh tokens, best first."""
    values: dict[str, Any] = {"runner": runner, "worker": worker, "at": at, "lease_ms": lease_ms}
    if len(digests) == 1:
        values["digest"] = digests[0]
    else:
        values |= {"digests": list(digests), "count": len(digests)}
    if flows is not None:
        values["flows"] = list(flows)
    if labels:
        values["labels"] = sql.text(list(labels))
    text = _claim_text("digest" in values, "flows" in values, "labels" in values)
    return sql.rows(text, values)


def heartbeat(lease: dict[str, Any], *, lease_ms: int, at: datetime | None) -> datetime | None:
    """Make a lease last at least so long from now on; never shorter. None: it is not the caller's any more."""
    found = sql.rows(_HEARTBEAT, {**lease, "lease_ms": lease_ms, "at": at})
    return found[0][0] if found else None


def complete(
    lease: dict[str, Any], *, result: str, result_status: str, answer: str, told: bool, at: datetime | None
) -> bool:
    """The worker came back with a result. False: it does not hold the lease."""
    values = {**lease, "result": result, "result_status": result_status, "answer": answer, "told": told, "at": at}
    found = sql.rows(_COMPLETE, values)
    _ended(found)
    return bool(found)


def fail(lease: dict[str, Any], *, error: str, retry: bool, answer: str, told: bool, at: datetime | None) -> str | None:
    """The worker came back with an error. What the run became, queued or failed; None: it does not hold the lease."""
    values = {**lease, "error": error, "retry": retry, "answer": answer, "told": told, "at": at}
    return _left(sql.rows(_FAIL, values))


def release(lease: dict[str, Any], *, delay_ms: int, answer: str, told: bool, at: datetime | None) -> str | None:
    """The worker gave the run back. What the run became, queued or failed; None: it does not hold the lease."""
    return _left(sql.rows(_RELEASE, {**lease, "delay_ms": delay_ms, "answer": answer, "told": told, "at": at}))


def expire(*, count: int, told: bool, at: datetime | None) -> list[tuple[str, str]]:
    """End leases that ran out, the oldest first: which runs, and what they became."""
    found = sql.rows(_EXPIRE, {"count": count, "error": EXPIRED, "told": told, "at": at})
    _ended([(pk, key) for pk, _, status, key in found if status != "queued"])
    if found:
        news.work_soon()
    return [(run, status) for _, run, status, _ in found]


def cancel(*, run: str, who: str, told: bool, at: datetime | None) -> bool:
    """Stop a run that has not ended, and its attempt with it. False: it has ended, or there is none."""
    sql.count(_LOCK_RUN, {"run": run})
    found = sql.rows(_CANCEL, {"run": run, "who": who, "told": told, "at": at})
    _ended(found)
    return bool(found)


def give_turns(keys: Sequence[str]) -> None:
    """Let as many held runs of these concurrency keys go on as there is room for; "" is no key.

    Until the transaction ends nobody else counts the open runs of these keys.
    """
    for key in sorted({key for key in keys if key}):
        sql.rows(_LOCK_KEY, {"key": key})
        if sql.count(_UNHOLD, {"key": key}):
            news.work_soon()


def _left(found: list[tuple[Any, ...]]) -> str | None:
    if not found:
        return None
    pk, status, key = found[0]
    if status == "queued":
        news.work_soon()
    else:
        _ended([(pk, key)])
    return str(status)


def _ended(found: Sequence[tuple[Any, ...]]) -> None:
    """Runs, by id and concurrency key, have ended: who waited for them has a turn, who watches them is told."""
    give_turns([key for _, key in found])
    news.ended_soon(pk for pk, _ in found)
