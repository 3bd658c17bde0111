"""What is older than it is to be kept: events with everything that came of them, and the logs of sweeps.

An event goes when the last of its runs has long ended. Its id is forgotten with it: sent again, it is new.
"""

import time
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now

from flows import hooks, sql
from flows.models import FlowEvent, FlowSweepLog

LOG_DAYS = 7  #: where the project does not say
_AT_ONCE, _WINDOW_S = 100, 5.0

_AGO = "coalesce(%(at)s::timestamptz, statement_timestamp()) - %(days)s * interval '1 day'"
# By id, which grows with time: behind the first that is young enough nobody has to look.
_NEXT = f"SELECT id, created_at < {_AGO} FROM flow_events WHERE id > %(after)s ORDER BY id LIMIT %(count)s"
_OVER = f"""
SELECT e.id FROM flow_events AS e WHERE e.id = ANY(%(ids)s) AND NOT EXISTS (
    SELECT 1 FROM flow_runs AS r WHERE r.event_id = e.id
    AND (r.completed_at IS NULL OR r.completed_at >= {_AGO} OR (%(hooks)s AND NOT r.is_told))
)
"""


def forget(at: datetime | None = None) -> int:
    """Delete what is too old, for some seconds at most. Returns how many events were deleted.

    Events are kept for FLOWS_RETENTION_DAYS after the end of their last run, 0 being for ever; the logs of sweeps for
    FLOWS_SWEEP_LOG_DAYS.
    """
    FlowSweepLog.objects.filter(
        start_time__lt=Now() - timedelta(days=getattr(settings, "FLOWS_SWEEP_LOG_DAYS", LOG_DAYS))
    ).delete()
    days = getattr(settings, "FLOWS_RETENTION_DAYS", 0)
    done, after, ends_at = 0, 0, time.monotonic() + _WINDOW_S
    while days and time.monotonic() < ends_at:
        page = sql.rows(_NEXT, {"after": after, "count": _AT_ONCE, "days": days, "at": at})
        old = [pk for pk, is_old in page if is_old]
        if not old:
            break
        done, after = done + _delete(old, days, at), old[-1]
    return done


@transaction.atomic
def _delete(events: list[int], days: int, at: datetime | None) -> int:
    # Whoever makes further runs of an event holds its lock; what they made before we had it, the next statement sees.
    held = FlowEvent.objects.select_for_update(skip_locked=True).filter(pk__in=events).order_by("pk")
    ids = list(held.values_list("pk", flat=True))
    over = sql.rows(_OVER, {"ids": ids, "days": days, "at": at, "hooks": hooks.are_there()})
    FlowEvent.objects.filter(pk__in=[pk for (pk,) in over]).delete()
    return len(over)
