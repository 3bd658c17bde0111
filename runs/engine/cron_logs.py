"""One cronLogs row a cycle: opened at its start, closed at its end, and closed by the next cycle if it never was."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, IntegerField
from django.db.models.functions import Cast, Extract, Now

from runs.models import CronLog

MAX_RESULTS = 100


@dataclass(slots=True)
class CycleReport:
    """What one cycle did. `results` holds at most 100 entries."""

    processed: int = 0
    errors: int = 0
    last_error: str = ""
    results: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> str:
        """success: no error · partial: some · failed: nothing but errors."""
        if not self.errors:
            return "success"
        return "partial" if self.processed else "failed"

    def note(self, **result: Any) -> None:
        """One thing was dealt with."""
        self.processed += 1
        if len(self.results) < MAX_RESULTS:
            self.results.append(result)

    def note_error(self, error: str) -> None:
        """Something went wrong; the cycle goes on. `error` is a code and a sentence of ours."""
        self.errors += 1
        self.last_error = error[:200]


@contextmanager
def cycle(job_name: str, *, at_most_s: float) -> Iterator[CycleReport]:
    """Keep the log of a cycle that lasts `at_most_s`. A cycle that raises is logged as failed."""
    _close_orphans(job_name)
    log = CronLog.objects.create(job_name=job_name, lease_until=Now() + timedelta(seconds=at_most_s + 60))
    report = CycleReport()
    try:
        yield report
    except BaseException as exc:
        report.note_error(f"{type(exc).__name__}: the cycle broke off.")
        _close(log, report, status="failed")
        raise
    _close(log, report, status=report.status)


def prune() -> int:
    """Delete the logs older than ZAP_CRON_LOG_DAYS. Returns how many."""
    old = CronLog.objects.filter(start_time__lt=Now() - timedelta(days=settings.ZAP_CRON_LOG_DAYS))
    return old.delete()[0]


def _close(log: CronLog, report: CycleReport, *, status: str) -> None:
    CronLog.objects.filter(pk=log.pk).update(
        status=status,
        processed_count=report.processed,
        error_count=report.errors,
        error=report.last_error,
        end_time=Now(),
        duration=_milliseconds(),
    )


def _close_orphans(job_name: str) -> None:
    """A cycle whose process died never closed its row."""
    open_rows = CronLog.objects.filter(job_name=job_name, status=None, lease_until__lt=Now())
    open_rows.update(
        status="failed",
        error_count=F("error_count") + 1,
        error="CYCLE_LOST: the process that ran this cycle died.",
        end_time=Now(),
        duration=_milliseconds(),
    )


def _milliseconds() -> Cast:
    return Cast(Extract(Now() - F("start_time"), "epoch") * 1000, IntegerField())
