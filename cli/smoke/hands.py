"""A run made by this process alone, since only here it can be heard what its provider says.

It is the engine's own work, in the engine's own order: the intent is committed before the paid call, and that is made
once. Whatever is left when this process dies is found by the next drain.

To be imported once Django is set up, since tables are.
"""

import time
from collections.abc import Callable

from django.db.models import QuerySet

from cli import talk
from core.errors import StaleState
from providers.contract import Generation
from providers.transcript import tape
from providers.transcript.tape import Tape
from runs.engine import ask, reads
from runs.engine.advance import advance_run
from runs.engine.poll import poll_attempt
from runs.engine.settle import settle_attempt
from runs.engine.submit import submit_attempt
from runs.models import Attempt, Run

_EVERY_S = 0.2


class Hands:
    """The engine for one run."""

    def __init__(self, run_id: str) -> None:
        self._run_id = run_id

    def work(self, is_over: Callable[[], bool]) -> Tape:
        """Do whatever is due, until `is_over` says so, or Ctrl-C; what was said meanwhile."""
        with tape.recording() as heard:
            try:
                while not is_over():
                    self._once()
                    time.sleep(_EVERY_S)
            except KeyboardInterrupt:
                talk.say(f"Left alone. The run lives on where workers are: `zap watch {self._run_id}`.")
        return heard

    def attempt(self) -> Attempt | None:
        """The last attempt; None before there is one."""
        return self._rows().last()

    def generation(self, attempt: Attempt) -> Generation:
        """What the provider was asked for by it."""
        return ask.generation_of(reads.load(attempt.pk))

    def _once(self) -> None:
        attempts = list(self._rows())
        try:
            if not attempts:
                advance_run(Run.objects.only("pk").get(run_id=self._run_id).pk)
            for attempt in attempts:
                self._take_up(attempt)
        except StaleState:  # somebody else was first; the next look shows what came of it
            return

    def _take_up(self, attempt: Attempt) -> None:
        if attempt.status == "planned":
            submit_attempt(attempt.pk)
        elif attempt.status == "settling" or (attempt.status == "accepted" and poll_attempt(attempt.pk).settle):
            settle_attempt(attempt.pk)

    def _rows(self) -> QuerySet[Attempt]:
        return Attempt.objects.filter(run__run_id=self._run_id).order_by("pk")
