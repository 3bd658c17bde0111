"""What is done from time to time: leases that ran out, turns and hooks that were missed, what is too old."""

import logging
import time
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Exists, F, IntegerField, OuterRef
from django.db.models.functions import Cast, Extract, Now

from core.again import again
from flows import hooks, retention, transitions
from flows.models import FlowRun, FlowSweepLog
from flows.states import FINAL, RunStatus

logger = logging.getLogger(__name__)

BATCH = 200
TELL_AT_MOST, TELL_S = 20_000, 5.0
ORPHANED = timedelta(minutes=5)


def sweep(*, at: datetime | None = None) -> FlowSweepLog:
    """One cycle, and the log of what it did. Any number may run at once."""
    _tidy_logs()
    log = FlowSweepLog.objects.create()
    processed, errors, error = 0, 0, ""
    for job in (_expire_all, _give_lost_turns, _tell_all, retention.forget):
        try:
            processed += job(at)
        except Exception as exc:
            errors, error = errors + 1, f"{type(exc).__name__}: {job.__name__.strip('_')} broke off."
            logger.exception("flow sweep job=%s", job.__name__)
    status = "success" if not errors else "partial" if processed else "failed"
    FlowSweepLog.objects.filter(pk=log.pk).update(
        status=status,
        end_time=Now(),
        duration=Cast(Extract(Now() - F("start_time"), "epoch") * 1000, IntegerField()),
        processed_count=processed,
        error_count=errors,
        error=error[:200],
    )
    log.refresh_from_db()
    return log


def _tidy_logs() -> None:
    """Close the logs of cycles that died."""
    logs = FlowSweepLog.objects
    logs.filter(status=None, start_time__lt=Now() - ORPHANED).update(
        status="failed", end_time=Now(), error="The cycle never came to its end."
    )


@again
@transaction.atomic
def expire(*, count: int = BATCH, at: datetime | None = None) -> list[tuple[str, str]]:
    """End up to `count` leases that ran out: which runs, and what they became, queued or failed."""
    return transitions.expire(count=count, told=not hooks.are_there(), at=at)


def _expire_all(at: datetime | None) -> int:
    done = 0
    while ended := expire(at=at):
        done += len(ended)
        hooks.tell(run for run, status in ended if status == RunStatus.FAILED)
    return done


def _give_lost_turns(at: datetime | None) -> int:
    """A turn is lost where the next run of a key was locked by somebody when the one before it ended."""
    held = FlowRun.objects.filter(status=RunStatus.QUEUED, is_held=True)
    at_work = FlowRun.objects.filter(
        concurrency_key=OuterRef("concurrency_key"), status__in=["queued", "running"], is_held=False
    )
    # In an order of its own: by that of the table, a key would be named for each of its runs.
    keys = held.filter(~Exists(at_work)).order_by("concurrency_key").values_list("concurrency_key", flat=True)
    found = list(keys.distinct()[:BATCH])
    for key in found:
        with transaction.atomic():
            transitions.give_turns([key])
    return len(found)


def _tell_all(at: datetime | None) -> int:
    """In any order, so that ends of which nobody can be told never stand before those of which one can."""
    if not hooks.are_there():
        return 0
    untold = FlowRun.objects.filter(status__in=FINAL, is_told=False).order_by("?").values_list("run_id", flat=True)
    run_ids = list(untold[:TELL_AT_MOST])
    told, ends_at = 0, time.monotonic() + TELL_S
    for first in range(0, len(run_ids), BATCH):
        told += hooks.tell(run_ids[first : first + BATCH]) if time.monotonic() < ends_at else 0
    return told
