"""Who else is told of what runs do.

What tells the world stands above this room and cannot be named here, so it appoints its own herald when Django starts;
there may be several.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from accounts.caller import Caller
from runs.models import Run

#: The moves of a run that may be told, by the names that the world has for them.
CALLBACK_EVENTS = ("run.started", "run.waiting", "run.done", "run.failed", "run.canceled")


@dataclass(frozen=True, slots=True)
class Told:
    """One move of a run, by the name of what happened, and its number in the run's log."""

    event: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """Where one run's owner wants to be told of it. `events` empty: of all there are."""

    url: str = field(repr=False)
    secret: str = field(repr=False)
    events: tuple[str, ...] = ()


class Herald:
    """Tells nobody."""

    def moved(self, run: Run, told: Sequence[Told]) -> None:
        """The run moved; called in the same transaction, so that what is written here is kept if the move is."""

    def check(self, callback: Callback, caller: Caller) -> None:
        """Raises BadInput, CallerUnknown or Conflict where that callback cannot be promised."""

    def follow(self, run: Run, callback: Callback, caller: Caller) -> None:
        """Promise it, in the transaction that makes the run."""

    def forget(self, run: Run) -> None:
        """The run is deleted; called in the same transaction."""

    def ring_due(self, limit: int) -> list[str]:
        """Ring for what is due and was not taken up; returns what for."""
        return []


class _Appointed(Herald):
    """All that were appointed, each in turn."""

    def __init__(self) -> None:
        self.heralds: dict[type[Herald], Herald] = {}

    def moved(self, run: Run, told: Sequence[Told]) -> None:
        for one in self.heralds.values():
            one.moved(run, told)

    def check(self, callback: Callback, caller: Caller) -> None:
        for one in self.heralds.values():
            one.check(callback, caller)

    def follow(self, run: Run, callback: Callback, caller: Caller) -> None:
        for one in self.heralds.values():
            one.follow(run, callback, caller)

    def forget(self, run: Run) -> None:
        for one in self.heralds.values():
            one.forget(run)

    def ring_due(self, limit: int) -> list[str]:
        return [subject for one in self.heralds.values() for subject in one.ring_due(limit)]


_appointed = _Appointed()


def appoint(herald: Herald) -> None:
    """From now on, in this process, that one is told, too. One that is appointed again takes its own place."""
    _appointed.heralds[type(herald)] = herald


def herald() -> Herald:
    """Whoever is told."""
    return _appointed
