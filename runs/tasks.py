"""The Celery door. A message is a hint: each task reads its row again and does nothing if somebody was first."""

import logging
from typing import Any

from celery import Task, shared_task
from celery.signals import worker_shutdown, worker_shutting_down

from accounts import idempotency
from accounts.leaving import departing
from accounts.vault import pruning
from core.errors import StaleState
from runs import direct_uploads, dispatch, queries, uploads
from runs.deletion import files, retention
from runs.engine import advance, cron_logs, drain, poll, render, settle, submit, sweep
from runs.engine.poller import POLLER
from runs.transitions import inbox

logger = logging.getLogger(__name__)

_OPTIONS: dict[str, Any] = {"acks_late": True, "ignore_result": True, "max_retries": None}


@shared_task(name=dispatch.ADVANCE, **_OPTIONS)
def advance_run(*, run_id: int, **_newer: Any) -> None:
    """Take the run further. `_newer` lets an old worker accept a newer message."""
    _unless_stale(advance.advance_run, run_id)


@shared_task(name=dispatch.SUBMIT, bind=True, **_OPTIONS)
def submit_step(self: "Task[Any, Any]", *, attempt_id: int, **_newer: Any) -> None:
    """Send the attempt's request. The chain goes on to poll only where there is something to poll soon."""
    following = _unless_stale(submit.submit_attempt, attempt_id)
    if following is None or following.wait_s is None:
        _end_chain(self)


@shared_task(name=dispatch.POLL, bind=True, **_OPTIONS)
def poll_step(self: "Task[Any, Any]", *, attempt_id: int, **_newer: Any) -> None:
    """Look at a young job again and again; then settle, or park and leave it to the drain."""
    following = _unless_stale(poll.poll_attempt, attempt_id)
    if following is not None and following.wait_s is not None:
        raise self.retry(countdown=following.wait_s)
    if following is None or not following.settle:
        _end_chain(self)


@shared_task(name=dispatch.SETTLE, **_OPTIONS)
def settle_step(*, attempt_id: int, **_newer: Any) -> None:
    """Fetch what the provider made and close the step."""
    _unless_stale(settle.settle_attempt, attempt_id)


@shared_task(name=dispatch.RENDER, acks_late=False, ignore_result=True)
def render_step(*, attempt_id: int, **_newer: Any) -> None:
    """Run a local step. Acknowledged early: its lease, not the broker, brings it back if the worker dies."""
    _unless_stale(render.render_attempt, attempt_id)


@shared_task(name=dispatch.DRAIN, acks_late=False, ignore_result=True)
def drain_due(**_newer: Any) -> None:
    """Everything that is due, for one window."""
    drain.run_scheduled()


@shared_task(name=dispatch.PRUNE, **_OPTIONS)
def prune(**_newer: Any) -> None:
    """Forget what is older than its retention."""
    cron_logs.prune()
    idempotency.purge()
    inbox.prune()
    pruning.prune(queries.ended_a_day_ago)
    uploads.prune()
    direct_uploads.prune()
    sweep.sweep()


@shared_task(name=dispatch.ERASE, **_OPTIONS)
def erase(**_newer: Any) -> None:
    """Delete what is too old, go on with accounts that leave, and then delete the files that nobody uses any more."""
    retention.sweep()
    departing.go_on()
    files.delete_due()


@worker_shutting_down.connect
def hurry(**_: Any) -> None:
    """A cycle that is at work writes what it knows, and ends."""
    POLLER.stopping.set()


@worker_shutdown.connect
def let_go(**_: Any) -> None:
    """The drain's connections are closed with the worker."""
    POLLER.stop()


def _end_chain(task: "Task[Any, Any]") -> None:
    """The tasks that follow are not wanted. Raising Ignore would do the same, and write an error report first."""
    task.request.chain = None


def _unless_stale(verb: Any, pk: int) -> Any:
    try:
        return verb(pk)
    except StaleState as exc:
        logger.info("stale=%s", exc)
        return None
