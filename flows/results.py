"""How a run ends. Its end is final; the same report sent twice is answered twice the same."""

from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction

from core.again import again
from core.errors import BadInput, NotFound, Problem
from flows import hooks, leases, sql, transitions
from flows.claims import became_then, repeated
from flows.fields import UNSTORABLE, storable
from flows.manifest import digest_of
from flows.models import FlowRun
from flows.refusals import RunEnded
from flows.states import RunStatus, result_status

MAX_RESULT_BYTES, MAX_ERROR = 1024 * 1024, 20_000


@again
@transaction.atomic
def complete(attempt: str, token: str, result: Any, *, at: datetime | None = None) -> str:
    """Store what the step found, whatever it is: the run's id. What the result says of itself is shown beside.

    Raises BadInput, NotFound, RunCanceled, LeaseExpired, LeaseLost; nothing was written then.
    """
    held = leases.key(attempt, token)
    _check(result)
    answer = f"completed:{digest_of(result)[:50]}"
    done = transitions.complete(
        held, result=sql.text(result), result_status=result_status(result), answer=answer,
        told=not hooks.are_there(), at=at,
    )  # fmt: skip
    if not done:
        repeated(held, answer)
    else:
        transaction.on_commit(partial(hooks.tell, [held["run"]]))
    return str(held["run"])


@again
@transaction.atomic
def fail(attempt: str, token: str, error: str, *, retry: bool | None = None, at: datetime | None = None) -> str:
    """Store why the step failed: what the run became, failed, or queued where it is tried again.

    `retry` None: as the step's manifest says, which by itself is no. Raises what `complete` raises.
    """
    held = leases.key(attempt, token)
    if not storable(error):
        raise _unfit("error", "The error holds whole characters and no NUL.")
    answer = f"failed:{digest_of([error, retry])[:50]}"
    may_repeat = _retries(held["run"]) if retry is None else retry
    told = not hooks.are_there()
    became = transitions.fail(held, error=error[:MAX_ERROR], retry=may_repeat, answer=answer, told=told, at=at)
    if became is None:
        repeated(held, answer)
        return became_then(held)
    if became == RunStatus.FAILED:
        transaction.on_commit(partial(hooks.tell, [held["run"]]))
    return became


@again
@transaction.atomic
def cancel(run_id: str, *, who: str = "", at: datetime | None = None) -> None:
    """Stop a run: its worker's lease ends at once, and hears of it at its next heartbeat. Safe to repeat.

    Raises NotFound, and RunEnded when the run has completed or failed.
    """
    if transitions.cancel(run=run_id, who=who[:160], told=not hooks.are_there(), at=at):
        transaction.on_commit(partial(hooks.tell, [run_id]))
        return
    status = FlowRun.objects.filter(run_id=run_id).values_list("status", flat=True).first()
    if status is None:
        raise NotFound(f"There is no run {run_id[:80]!r}.")
    if status != RunStatus.CANCELED:
        raise RunEnded(f"The run has {status}.")


def _retries(run_id: str) -> bool:
    snapshot = FlowRun.objects.filter(run_id=run_id).values_list("snapshot", flat=True).first()
    return bool(snapshot and snapshot["step"].get("retryOnFail"))


def _check(result: Any) -> None:
    if not storable(result):
        raise _unfit("result", UNSTORABLE)
    if len(sql.text(result).encode()) > MAX_RESULT_BYTES:
        raise _unfit("result", f"A result has at most {MAX_RESULT_BYTES} bytes.")


def _unfit(path: str, message: str) -> BadInput:
    return BadInput(message, problems=[Problem(code="RESULT_INVALID", message=message, path=path)])
