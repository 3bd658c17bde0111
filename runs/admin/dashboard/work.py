"""Tiles of the work: what is at the providers, what waits, how late it is, and how it ends.

Each reads one statement that an index answers from the rows that are still open, or from the newest.
"""

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db import connection
from django.urls import reverse
from django.utils.http import urlencode

from core.ledger import span
from runs.admin.dashboard.tiles import Fact, Tile, counted, tone_of
from runs.states import AttemptStatus, WaitReason

_LATE = """count(*), extract(epoch FROM statement_timestamp() - min(due_at) FILTER (
    WHERE due_at < statement_timestamp() AND (lease_until IS NULL OR lease_until < statement_timestamp())))::float"""
# Two halves, since each has an index of its own that holds nothing else.
_ATTEMPTS = f"""
    SELECT status, provider, {_LATE} FROM attempts WHERE status = 'accepted' GROUP BY 1, 2
    UNION ALL
    SELECT status, provider, {_LATE} FROM attempts
    WHERE status IN ('canceling', 'planned', 'settling', 'submitting', 'unknown') GROUP BY 1, 2
"""  # noqa: S608 (no value is put in)
_RUNS = """
    SELECT status, coalesce(wait_reason, ''), count(*) FROM runs
    WHERE NOT (status IN ('canceled', 'done', 'failed')) GROUP BY 1, 2
"""
_ENDS = """
    SELECT count(*) FILTER (WHERE status = 'failed' AND is_new), count(*) FILTER (WHERE is_new),
        count(*) FILTER (WHERE status = 'failed'), count(*)
    FROM (
        SELECT status, finished_at > statement_timestamp() - interval '1 hour' AS is_new FROM runs
        WHERE status IN ('done', 'failed') AND finished_at > statement_timestamp() - interval '1 day'
    ) AS ended
"""
_AT_PROVIDER = {AttemptStatus.SUBMITTING, AttemptStatus.ACCEPTED, AttemptStatus.CANCELING}
_WAITING = (AttemptStatus.PLANNED, AttemptStatus.SETTLING, AttemptStatus.UNKNOWN)
_CARE_S, _BAD_S = 15, 60


def attempts() -> list[Tile]:
    """Jobs at each provider, what is still to be sent or stored, and how late the latest is."""
    rows = _rows(_ATTEMPTS)
    at, waiting = Counter[str](), Counter[str]()
    for status, provider, count, _ in rows:
        if status in _AT_PROVIDER:
            at[provider] += count
        else:
            waiting[status] += count
    return [
        Tile(
            title="In flight",
            facts=[
                Fact(name=name, value=counted(count), tone="busy", url=_list("attempt", provider=name))
                for name, count in at.most_common()
            ],
            note="" if at else "Nothing is at a provider.",
        ),
        Tile(title="Attempts that wait here", facts=[_waiting(status, waiting[status]) for status in _WAITING]),
        Tile(
            title="Late",
            facts=[
                _late("Oldest due", [late for *_, late in rows]),
                _late("Detection lag", [late for status, *_, late in rows if status == AttemptStatus.ACCEPTED]),
            ],
            note="How long the latest piece of work, and the latest poll, should have been done already.",
        ),
    ]


def runs() -> list[Tile]:
    """Open runs by what they are at; those that wait, by what they wait for."""
    facts = Counter[tuple[str, str]]()
    for status, reason, count in _rows(_RUNS):
        facts[(status, reason if status == "waiting" else "")] += count
    shown = [
        Fact(
            name=f"waiting: {reason.replace('_', ' ')}" if reason else status,
            value=counted(count),
            tone="care" if reason in {WaitReason.SUBMISSION_UNKNOWN, WaitReason.BUDGET} else "",
            url=_list("run", status=status, **({"wait_reason": reason} if reason else {})),
        )
        for (status, reason), count in sorted(facts.items())
    ]
    return [Tile(title="Open runs", facts=shown, note="" if shown else "No run is open.")]


def ends() -> list[Tile]:
    """How many of the runs that ended lately failed. Canceled ones count as neither."""
    ((hour_failed, hour_ended, day_failed, day_ended),) = _rows(_ENDS)
    return [
        Tile(
            title="Runs that failed",
            facts=[_rate("last hour", hour_failed, hour_ended), _rate("last day", day_failed, day_ended)],
        )
    ]


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())


def _waiting(status: AttemptStatus, count: int) -> Fact:
    names = {
        AttemptStatus.PLANNED: "to be sent",
        AttemptStatus.SETTLING: "to be stored",
        AttemptStatus.UNKNOWN: "of unknown fate",
    }
    tone = "bad" if status == AttemptStatus.UNKNOWN and count else ""
    return Fact(name=names[status], value=counted(count), tone=tone, url=_list("attempt", status=status))


def _late(name: str, late_s: list[float | None]) -> Fact:
    worst = max((late for late in late_s if late is not None), default=0.0)
    value = span(timedelta(seconds=worst)) if worst else "nothing is late"
    return Fact(name=name, value=value, tone=tone_of(worst, care=_CARE_S, bad=_BAD_S))


def _rate(name: str, failed: int, ended: int) -> Fact:
    if not ended:
        return Fact(name=name, value="none ended")
    share = failed / ended
    value = f"{share:.1%} ({counted(failed)} of {counted(ended)})"
    return Fact(name=name, value=value, tone=tone_of(share, care=0.05, bad=0.2), url=_list("run", status="failed"))


def _list(model: str, **filters: str) -> str:
    return f"{reverse(f'admin:runs_{model}_changelist')}?{urlencode(filters)}"
