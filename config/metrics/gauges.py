"""What is told, part by part. A part of the database is one statement; its figures are true of one moment.

Words that a label may have are all there from the beginning, with 0, so that an alert needs no special case.
"""

from collections import Counter
from collections.abc import Callable

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from accounts.api.places import open_streams
from config.metrics.exposition import Gauge, gauge, gauge_by
from core.money import ZERO
from notifications.outbox import backlog
from providers.registry import PROVIDERS
from runs import figures
from runs.models import Budget, Circuit
from runs.states import AttemptStatus, RunStatus, WaitReason

_OPEN_RUNS = (RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING)
_AT_PROVIDER = (AttemptStatus.SUBMITTING, AttemptStatus.ACCEPTED, AttemptStatus.CANCELING)
_HERE = (AttemptStatus.PLANNED, AttemptStatus.SETTLING, AttemptStatus.UNKNOWN)


def _runs() -> list[Gauge]:
    counts = Counter(dict.fromkeys(map(str, _OPEN_RUNS), 0))
    for (status, _), count in figures.open_runs().items():
        counts[status] += count
    return [gauge_by("zaps_runs", "Open runs, by status.", "status", counts)]


def _ends() -> list[Gauge]:
    ended = figures.ends()
    lately = {"failed": ended.hour_failed, "done": ended.hour_ended - ended.hour_failed}
    return [gauge_by("zaps_runs_ended_last_hour", "Runs that ended in the last hour, by status.", "status", lately)]


def _steps() -> list[Gauge]:
    counts = {**dict.fromkeys(map(str, WaitReason), 0), **figures.steps_waiting()}
    return [gauge_by("zaps_steps_waiting", "Open steps that wait, by reason.", "reason", counts)]


def _attempts() -> list[Gauge]:
    rows = figures.attempts()
    at, here = Counter({one.name: 0 for one in PROVIDERS}), Counter(dict.fromkeys(map(str, _HERE), 0))
    for row in rows:
        if row.status in _AT_PROVIDER:
            at[row.provider] += row.count
        else:
            here[row.status] += row.count
    late = [row.late_s or 0.0 for row in rows]
    polls = [row.late_s or 0.0 for row in rows if row.status == AttemptStatus.ACCEPTED]
    return [
        gauge_by("zaps_attempts_in_flight", "Jobs at a provider.", "provider", at),
        gauge_by("zaps_attempts_waiting", "Attempts to be sent, to be stored, or of unknown fate.", "status", here),
        gauge("zaps_due_lag_seconds", "For how long the latest work should have been done.", max(late, default=0.0)),
        gauge("zaps_poll_lag_seconds", "For how long the latest poll should have been made.", max(polls, default=0.0)),
    ]


def of_queues() -> list[Gauge]:
    """One round trip to Redis. Raises redis.RedisError."""
    held = figures.messages()
    return [
        gauge_by("zaps_queue_messages", "Messages that no worker has taken.", "queue", held.waiting),
        gauge("zaps_queue_taken_messages", "Messages that workers have taken and not done.", held.taken),
        gauge("zaps_workers", "Celery workers that listen.", held.workers),
    ]


def _drain() -> list[Gauge]:
    drain = figures.cycles()
    lately = "in the last ten minutes."
    return [
        gauge("zaps_drain_age_seconds", "Since the drain's newest cycle began; not there if none did.", drain.age_s),
        gauge("zaps_drain_cycles", f"Cycles of the drain that began {lately}", drain.begun),
        gauge("zaps_drain_failed_cycles", f"Cycles of the drain that failed {lately}", drain.failed),
        gauge("zaps_drain_processed", f"What the drain dealt with {lately}", drain.processed),
        gauge("zaps_drain_errors", f"Errors of the drain {lately}", drain.errors),
    ]


def _dead_letters() -> list[Gauge]:
    about = f"Failed steps that nobody has made go on; {figures.MOST_LETTERS + 1} means more."
    return [gauge("zaps_dead_letters", about, figures.dead_letters())]


def _breakers() -> list[Gauge]:
    rows = Circuit.objects.exclude(status="closed").values_list("status").annotate(Count("pk"))
    counts = {"open": 0, "half_open": 0, **dict(rows)}
    return [gauge_by("zaps_breakers", "Models and accounts that are left alone, by status.", "status", counts)]


def _money() -> list[Gauge]:
    row = Budget.objects.filter(owner=None, day=timezone.now().date()).first()
    spent, reserved = (row.spent_usd, row.reserved_usd) if row else (ZERO, ZERO)
    return [
        gauge("zaps_spent_today_usd", "Spent on this UTC day by everybody.", spent),
        gauge("zaps_reserved_today_usd", "Held on this UTC day for work that is not settled.", reserved),
        gauge("zaps_cap_today_usd", "ZAP_DAY_CAP_USD; not there without one.", settings.ZAP_DAY_CAP_USD),
    ]


def _deliveries() -> list[Gauge]:
    waiting, late_s = backlog()
    return [
        gauge(
            "zaps_deliveries_waiting",
            "Webhooks and mails that are still to be sent; no more than 10,001 are counted.",
            waiting,
        ),
        gauge("zaps_deliveries_lag_seconds", "For how long the latest of them should have been sent.", late_s),
    ]


def of_streams() -> list[Gauge]:
    """Counted here: another process has its own."""
    return [gauge("zaps_streams_open", "Streams that are open on the process that answers.", open_streams())]


OF_DATABASE: dict[str, Callable[[], list[Gauge]]] = {
    "runs": _runs,
    "ends": _ends,
    "steps": _steps,
    "attempts": _attempts,
    "drain": _drain,
    "dead_letters": _dead_letters,
    "breakers": _breakers,
    "money": _money,
    "deliveries": _deliveries,
}
