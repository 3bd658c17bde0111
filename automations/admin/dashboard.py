"""What operators see first of runs that nobody begins by hand: what went wrong, what stands still, what is late."""

from datetime import timedelta

from django.db import connection
from django.urls import reverse
from django.utils.http import urlencode

from automations.schedules import BY_ITSELF
from core.ledger import span
from runs.admin.dashboard import MOST, Fact, Part, Tile, add, tone_of, up_to_most

_WENT_WRONG = ("failed", "refused", "missed")
# Each looks at no more rows than it counts, and an index leads to them.
_LATELY = """(SELECT count(*) FILTER (WHERE ended_at > statement_timestamp() - interval '1 day') FROM
    (SELECT ended_at FROM firings WHERE status = %s ORDER BY id DESC LIMIT %s) AS newest)"""
_LATE = """(SELECT extract(epoch FROM statement_timestamp() - min(next_at))::float FROM schedules
    WHERE status = 'active' AND next_at < statement_timestamp())"""
_PAUSED = """(SELECT count(*) FROM (SELECT FROM schedules WHERE status = 'paused' AND reason = %s
    ORDER BY id DESC LIMIT %s) AS paused)"""
_HELD = """(SELECT count(*) FROM (SELECT FROM batches WHERE finished_at IS NULL AND status = 'open' AND reason <> ''
    LIMIT %s) AS held)"""
_ALL = f"SELECT {', '.join([_LATELY] * len(_WENT_WRONG))}, {_LATE}, {_PAUSED}, {_HELD}"
_CARE_S, _BAD_S = 30, 120  # beat looks every five seconds


def orders() -> list[Tile]:
    """Firings of the last day that went wrong, each up to a thousand each; schedules and batches that stand."""
    limits = [value for status in _WENT_WRONG for value in (status, MOST + 1)]
    with connection.cursor() as cursor:
        cursor.execute(_ALL, [*limits, BY_ITSELF, MOST + 1, MOST + 1])
        *wrong, late_s, paused, held = cursor.fetchone()
    facts = [
        _fact(f"{status}, last day", count, "firing", status=status)
        for status, count in zip(_WENT_WRONG, wrong, strict=True)
    ]
    late = Fact(
        name="latest schedule",
        value=f"{span(timedelta(seconds=late_s))} late" if late_s else "nothing is late",
        tone=tone_of(late_s or 0, care=_CARE_S, bad=_BAD_S),
    )
    stopped = _fact("schedules that failed too often", paused, "schedule", status="paused")
    return [Tile(title="Begun by themselves", facts=[*facts, late, stopped, _fact("batches held up", held, "batch")])]


def _fact(name: str, count: int, model: str, **filters: str) -> Fact:
    url = reverse(f"admin:automations_{model}_changelist")
    query = f"?{urlencode(filters)}" if filters else ""
    return Fact(name=name, value=up_to_most(count), tone="care" * bool(count), url=f"{url}{query}")


add(Part(title="Begun by themselves", permission="automations.view_firing", read=orders))
