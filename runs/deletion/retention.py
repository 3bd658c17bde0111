"""Runs that are older than they are to be kept: found, a few at a time, and deleted as if by hand.

A run that is marked to be kept is spared from its owner's choice, and not from the operator's.
"""

import logging

from django.db import connection

from accounts.retention import most_days
from core.errors import Conflict
from runs.deletion.erase import delete_run
from runs.engine.cron_logs import cycle
from runs.models import Run

logger = logging.getLogger(__name__)

JOB = "retention"
ACTOR = "retention"
_AT_ONCE = 50
_COUNTED = 10_000
_A_CYCLE_S = 60

_LIVE = "SELECT 1 FROM attempts a WHERE a.run_id = r.id AND a.status NOT IN ('canceled', 'done', 'failed')"
_OVER = f"""
    r.status IN ('canceled', 'done', 'failed') AND r.deleted_at IS NULL AND NOT EXISTS ({_LIVE})"""
# Each owner who chose is looked up by the index of their own runs; the operator's word is for all.
_DUE = f"""
    (SELECT mine.id FROM retentions t CROSS JOIN LATERAL (
        SELECT r.id FROM runs r WHERE r.owner_id = t.user_id AND NOT r.is_kept AND {_OVER}
        AND r.finished_at < now() - t.days * interval '1 day' ORDER BY r.finished_at LIMIT %(limit)s) AS mine
    LIMIT %(limit)s)
    UNION
    (SELECT r.id FROM runs r WHERE %(most)s::int IS NOT NULL AND {_OVER}
    AND r.finished_at < now() - %(most)s::int * interval '1 day' ORDER BY r.finished_at LIMIT %(limit)s)
    LIMIT %(limit)s"""  # noqa: S608 (only texts of this module)


def sweep() -> int:
    """Delete at most fifty that are due, and keep a log of it. Returns how many were deleted."""
    due = _due(_AT_ONCE)
    if not due:
        return 0
    with cycle(JOB, at_most_s=_A_CYCLE_S) as report:
        for run_id in Run.objects.filter(pk__in=due).order_by("finished_at").values_list("run_id", flat=True):
            try:
                delete_run(run_id, actor=ACTOR)
            except Conflict as exc:  # somebody reopened it meanwhile
                report.note_error(f"{exc.code}: {run_id}")
            else:
                report.note(kind="run", subject=run_id)
        return report.processed


def count_due() -> tuple[int, bool]:
    """How many the next sweeps would delete, and whether that is all: no more than ten thousand are counted."""
    found = len(_due(_COUNTED))
    return found, found < _COUNTED


def _due(limit: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(_DUE, {"limit": limit, "most": most_days()})
        return [row[0] for row in cursor.fetchall()]
