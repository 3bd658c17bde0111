"""Saying that a run has new output, or has ended, to whoever watches it; and to idle workers that there is work."""

from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import OuterRef, Subquery

from core.notices import Herald, Notice
from flows.models import FlowAttempt, FlowRun
from flows.states import FINAL

CHANNEL = "zap:flows"
WORK_CHANNEL = "zap:flows:work"
_ENDED = 1 << 61  # beyond every place in an output
_SEQ_BITS = 32

_HERALD, _CRIER = Herald(CHANNEL), Herald(WORK_CHANNEL)
WORK = Notice(0, 0, 0)  # nobody's: who hears it looks


def mark(attempt: int, seq: int) -> int:
    """A place in a run's output as one number, which grows with both."""
    return attempt << _SEQ_BITS | seq


def place(number: int) -> tuple[int, int]:
    """The attempt and the seq of a mark."""
    return number >> _SEQ_BITS, number & ((1 << _SEQ_BITS) - 1)


def written_soon(run: int, attempt: int, seq: int) -> None:
    """Tell that a run's output goes as far as this, once the current transaction has committed."""
    transaction.on_commit(lambda: _HERALD.say([Notice(run, 0, mark(attempt, seq))]))


def ended_soon(runs: Iterable[int]) -> None:
    """Tell that runs have ended, once the current transaction has committed."""
    found = [Notice(run, 0, _ENDED) for run in runs]
    if found:
        transaction.on_commit(lambda: _HERALD.say(found))


def work_soon() -> None:
    """Tell that somebody may find a run to claim, once the current transaction has committed."""
    transaction.on_commit(lambda: _CRIER.say([WORK]))


def newest(keys: Collection[int]) -> list[Notice]:
    """Where these runs stand in the database."""
    last = FlowAttempt.objects.filter(run=OuterRef("pk")).order_by("-number").values("output_seq")[:1]
    rows = FlowRun.objects.filter(pk__in=keys).values_list("pk", "status", "attempt_count", Subquery(last))
    return [
        Notice(pk, 0, _ENDED if status in FINAL else mark(attempts, seq or 0)) for pk, status, attempts, seq in rows
    ]
