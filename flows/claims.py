"""Taking runs, keeping them, and losing them."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from core.again import again
from core.errors import BadInput, NotFound, Problem
from flows import hooks, leases, sql, transitions
from flows.clock import lease_ms
from flows.leases import Lease
from flows.models import FlowAttempt, FlowRun
from flows.refusals import LeaseExpired, LeaseLost, RunCanceled
from flows.states import AttemptStatus, Runner, RunStatus

MAX_BATCH = 200
_RELEASED = "released"
DEFAULT_RUNNERS = tuple(runner for runner in Runner if runner is not Runner.CODE_MODE)

# The best runs of several runners, to know how many of each are to be taken; nothing is locked.
_BEST = """
SELECT h.run_id, h.runner FROM unnest(%(runners)s::text[]) AS wanted (runner) CROSS JOIN LATERAL (
    SELECT run_id, runner, priority, due_at, id FROM flow_runs
    WHERE status = 'queued' AND NOT is_held AND runner = wanted.runner
      AND due_at <= coalesce(%(at)s::timestamptz, statement_timestamp())
      AND (%(flows)s::text[] IS NULL OR flow_name = ANY(%(flows)s)) AND labels <@ %(labels)s::jsonb
    ORDER BY priority DESC, due_at, id LIMIT %(count)s
) AS h ORDER BY h.priority DESC, h.due_at, h.id LIMIT %(count)s
"""


def claim(
    worker: str,
    *,
    count: int = 1,
    lasts_ms: float | None = None,
    runners: Sequence[str] = DEFAULT_RUNNERS,
    flows: Sequence[str] | None = None,
    labels: Sequence[str] = (),
    at: datetime | None = None,
) -> list[Lease]:
    """Up to `count` (1..200) runs that are due, for this worker alone until their leases end; [] when there are none.

    Greatest priority first, then the longest due. `flows` None: of all; `labels`: what the worker offers: it is given
    no run that asks for more. Raises BadInput.
    """
    _check(worker, count, runners)
    take = partial(_take, worker, lasts_ms=lease_ms(lasts_ms), flows=flows, labels=labels, at=at)
    several = list(dict.fromkeys(runners))
    if len(several) == 1:
        return take(count, several[0])
    asked = {"runners": several, "flows": _listed(flows), "labels": sql.text(list(labels)), "count": count, "at": at}
    best = sql.rows(_BEST, asked)
    found: list[Lease] = []
    for runner, share in Counter(runner for _, runner in best).items():
        found += take(share, runner)
    if len(found) < len(best):  # others were quicker: there may be more, of whichever runner
        for runner in several:
            found += take(count - len(found), runner) if len(found) < count else []
    places = {run_id: place for place, (run_id, _) in enumerate(best)}
    return sorted(found, key=lambda lease: places.get(lease.run_id, count))


def heartbeat(attempt: str, token: str, *, lasts_ms: float | None = None, at: datetime | None = None) -> datetime:
    """Keep a lease: until when it is held now, which is never earlier than before.

    Raises NotFound, RunCanceled when the run was stopped, LeaseExpired, LeaseLost.
    """
    held = leases.key(attempt, token)
    until = transitions.heartbeat(held, lease_ms=lease_ms(lasts_ms), at=at)
    if until is None:
        raise lost(held)
    return until


@again
@transaction.atomic
def release(attempt: str, token: str, *, delay_ms: int = 0, at: datetime | None = None) -> str:
    """Give a run back unfinished: what it became, queued, or failed when no attempt was left.

    Given back again it is answered the same. Raises what `heartbeat` raises.
    """
    held = leases.key(attempt, token)
    told = not hooks.are_there()
    became = transitions.release(held, delay_ms=delay_ms, answer=_RELEASED, told=told, at=at)
    if became is None:
        repeated(held, _RELEASED)
        return became_then(held)
    if became == RunStatus.FAILED:
        transaction.on_commit(partial(hooks.tell, [held["run"]]))
    return became


def lost(held: dict[str, Any]) -> Exception:
    """Why an attempt is not the caller's any more, as what to raise."""
    row = FlowAttempt.objects.filter(run__run_id=held["run"], number=held["number"]).first()
    if row is None:
        return NotFound(f"There is no attempt {leases.attempt_id(held['run'], held['number'])!r}.")
    if bytes(row.token_digest) != held["digest"]:
        return LeaseLost("The token is not the one that this attempt was given.")
    if row.status == AttemptStatus.CANCELED:
        return RunCanceled()
    if row.status == AttemptStatus.RUNNING or row.error == transitions.EXPIRED:
        return LeaseExpired()
    return LeaseLost(f"The attempt has {row.status}.")


def repeated(held: dict[str, Any], answer: str) -> None:
    """Let pass what the attempt has reported already. Raises what `heartbeat` raises where this is not that."""
    row = FlowAttempt.objects.filter(run__run_id=held["run"], number=held["number"]).first()
    if row is None or bytes(row.token_digest) != held["digest"] or row.answer_digest != answer:
        raise lost(held)


def became_then(held: dict[str, Any]) -> str:
    """What an attempt's end made of its run, failed or queued."""
    # The run may have gone on since, even to its end; what the report did to it is what the repeat is told.
    row = FlowRun.objects.get(run_id=held["run"])
    is_end = row.status == RunStatus.FAILED and row.attempt_count == held["number"]
    return RunStatus.FAILED if is_end else RunStatus.QUEUED


def _take(
    worker: str, count: int, runner: str, *, lasts_ms: int, flows: Sequence[str] | None, labels: Sequence[str],
    at: datetime | None,
) -> list[Lease]:  # fmt: skip
    tokens = [leases.new_token() for _ in range(count)]
    rows = transitions.claim(
        runner=runner, worker=worker, digests=[leases.digest(token) for token in tokens], lease_ms=lasts_ms,
        flows=flows, labels=labels, at=at,
    )  # fmt: skip
    return [_lease(row, tokens[row[0] - 1]) for row in rows]


def _lease(row: tuple[Any, ...], token: str) -> Lease:
    _, run_id, flow, version, step, runner, replay, snapshot, number, max_attempts, until, *event = row
    return Lease(
        run_id=run_id,
        number=number,
        token=token,
        until=until,
        flow_name=flow,
        flow_version=version,
        step_name=step,
        runner=runner,
        replay=replay,
        max_attempts=max_attempts,
        step=sql.value(snapshot),
        event=_event(*event),
    )


def _event(
    event_id: str, type: str, source: str | None, occurred_at: str | None, received_at: str, payload: str, extra: str
) -> dict[str, Any]:
    named = {"id": event_id, "type": type, "source": source, "occurredAt": occurred_at, "receivedAt": received_at}
    present = {name: value for name, value in named.items() if value is not None}
    return {**sql.value(extra), **present, "payload": sql.value(payload)}


def _check(worker: str, count: int, runners: Sequence[str]) -> None:
    problems = []
    if not 0 < len(worker) <= 200:
        problems.append(Problem(code="WORKER_INVALID", message="A worker's id has 1 to 200 characters.", path="worker"))
    if not 1 <= count <= MAX_BATCH:
        problems.append(
            Problem(code="COUNT_INVALID", message=f"From 1 to {MAX_BATCH} runs can be claimed at once.", path="count")
        )
    for runner in runners:
        if runner not in set(Runner):
            problems.append(
                Problem(code="RUNNER_UNKNOWN", message=f"There is no runner {runner[:40]!r}.", path="runners")
            )
    if problems:
        raise BadInput("This cannot be claimed.", problems=problems)


def _listed(flows: Sequence[str] | None) -> list[str] | None:
    return None if flows is None else list(flows)
