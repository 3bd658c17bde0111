"""Tiles of the work: what is at the providers, what waits, how late it is, and how it ends."""

from collections import Counter
from datetime import timedelta

from django.urls import reverse
from django.utils.http import urlencode

from core.ledger import span
from runs import figures
from runs.admin.dashboard.tiles import Fact, Tile, counted, tone_of
from runs.states import AttemptStatus, WaitReason

_AT_PROVIDER = {AttemptStatus.SUBMITTING, AttemptStatus.ACCEPTED, AttemptStatus.CANCELING}
_WAITING = (AttemptStatus.PLANNED, AttemptStatus.SETTLING, AttemptStatus.UNKNOWN)
_CARE_S, _BAD_S = 15, 60


def attempts() -> list[Tile]:
    """Jobs at each provider, what is still to be sent or stored, and how late the latest is."""
    rows = figures.attempts()
    at, waiting = Counter[str](), Counter[str]()
    for row in rows:
        if row.status in _AT_PROVIDER:
            at[row.provider] += row.count
        else:
            waiting[row.status] += row.count
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
                _late("Oldest due", [row.late_s for row in rows]),
                _late("Detection lag", [row.late_s for row in rows if row.status == AttemptStatus.ACCEPTED]),
            ],
            note="How long the latest piece of work, and the latest poll, should have been done already.",
        ),
    ]


def runs() -> list[Tile]:
    """Open runs by what they are at; those that wait, by what they wait for."""
    facts = Counter[tuple[str, str]]()
    for (status, reason), count in figures.open_runs().items():
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
    ended = figures.ends()
    return [
        Tile(
            title="Runs that failed",
            facts=[
                _rate("last hour", ended.hour_failed, ended.hour_ended),
                _rate("last day", ended.day_failed, ended.day_ended),
            ],
        )
    ]


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
