"""Doorbells: messages that something may be ready to do, or to be seen. A lost one costs seconds, never work.

The engine knows tasks by name only; `runs.tasks` knows the engine. Every bell rings after the transaction commits.
"""

import logging
from collections.abc import Callable
from functools import partial

from celery import chain, current_app
from celery.canvas import Signature
from django.db import transaction
from kombu.exceptions import OperationalError

from core.notices import Herald, Notice
from runs.models import Attempt
from zaps.planned import LOCAL

logger = logging.getLogger(__name__)

ADVANCE = "runs.advance"
SUBMIT = "runs.submit_step"
POLL = "runs.poll_step"
SETTLE = "runs.settle_step"
RENDER = "runs.render_step"
DRAIN = "runs.drain"
PRUNE = "runs.prune"
ERASE = "runs.erase"

CHANGED = "zap:runs"  # the channel on which whoever watches is told; a key is a run, a group its owner
_HERALD = Herald(CHANGED)


def changed_soon(*changes: tuple[int, int | None, int]) -> None:
    """Tell whoever watches, once the current transaction has committed: runs, their owners, their new revisions."""
    if changes:
        transaction.on_commit(partial(_HERALD.say, [Notice(pk, owner or 0, number) for pk, owner, number in changes]))


def advance_soon(run_pk: int) -> None:
    """Ask a worker to take the run further, once the current transaction has committed."""
    transaction.on_commit(partial(ring_advance, run_pk))


def begin_soon(attempt: Attempt) -> None:
    """Ask a worker to begin the attempt, once the current transaction has committed; unless its turn comes later."""
    if attempt.rung_at is not None:
        transaction.on_commit(partial(ring_begin, attempt.pk, attempt.idem_key, attempt.provider))


def settle_soon(attempt: Attempt) -> None:
    """Ask a worker to fetch the attempt's results, once the current transaction has committed."""
    transaction.on_commit(partial(ring_settle, attempt.pk, attempt.idem_key))


def erase_soon() -> None:
    """Ask a worker to delete what is doomed, once the current transaction has committed."""
    transaction.on_commit(ring_erase)


def ring_erase() -> bool:
    """Ring now. False when the broker cannot be reached."""
    return _ring(_task(ERASE).apply_async)


def ring_advance(run_pk: int) -> bool:
    """Ring now. False, and a line in the log, when the broker cannot be reached."""
    return _ring(_task(ADVANCE, run_id=run_pk).apply_async)


def ring_begin(attempt_pk: int, idem_key: str, provider: str) -> bool:
    """Ring for a planned attempt, or a local one whose worker died: a render, or the chain submit, poll, settle."""
    if provider == LOCAL:
        return _ring(_keyed(RENDER, "render", attempt_pk, idem_key).apply_async)
    steps = (
        _keyed(SUBMIT, "submit", attempt_pk, idem_key),
        _keyed(POLL, "poll", attempt_pk, idem_key),
        _keyed(SETTLE, "settle", attempt_pk, idem_key),
    )
    return _ring(chain(*steps).apply_async)


def poll_soon(attempt: Attempt) -> None:
    """Ask a worker to look at the job, once the current transaction has committed."""
    transaction.on_commit(partial(ring_poll, attempt.pk, attempt.idem_key))


def ring_poll(attempt_pk: int, idem_key: str) -> bool:
    """Ring for a job that is said to have ended: the chain poll, settle."""
    steps = (_keyed(POLL, "poll", attempt_pk, idem_key), _keyed(SETTLE, "settle", attempt_pk, idem_key))
    return _ring(chain(*steps).apply_async)


def ring_settle(attempt_pk: int, idem_key: str) -> bool:
    """Ring for an attempt whose provider is finished, or that has to be wound down."""
    return _ring(_keyed(SETTLE, "settle", attempt_pk, idem_key).apply_async)


def _task(name: str, **kwargs: int) -> Signature:
    return Signature(name, kwargs=kwargs, immutable=True, app=current_app)


def _keyed(name: str, verb: str, attempt_pk: int, idem_key: str) -> Signature:
    return _task(name, attempt_id=attempt_pk).set(task_id=f"{verb}:{idem_key}")


def _ring(send: Callable[..., object]) -> bool:
    try:
        send(retry=False)
    except (OperationalError, OSError) as exc:
        logger.warning("bell=lost error=%s", type(exc).__name__)
        return False
    return True
