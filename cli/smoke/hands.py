"""A run made by this process alone, since only here it can be heard what its provider says.

It is the engine's own work, in the engine's own order: the intent is committed before the paid call, and that is made
once. Whatever is left when this process dies is found by the next drain.
"""

import importlib
import time
from collections.abc import Callable
from typing import Any

from cli import talk
from core.errors import StaleState
from providers.contract import Generation
from providers.transcript import tape
from providers.transcript.tape import Tape

_EVERY_S = 0.2


class Hands:
    """The engine for one run. Its tables can be imported only once Django is set up."""

    def __init__(self, run_id: str) -> None:
        engine = {name: importlib.import_module(f"runs.engine.{name}") for name in ("advance", "submit", "poll")}
        self._settle = importlib.import_module("runs.engine.settle").settle_attempt
        self._advance, self._submit = engine["advance"].advance_run, engine["submit"].submit_attempt
        self._poll = engine["poll"].poll_attempt
        self._ask, self._reads = (importlib.import_module(f"runs.engine.{name}") for name in ("ask", "reads"))
        self._attempts = importlib.import_module("runs.models").Attempt.objects
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

    def attempt(self) -> Any:
        """The last attempt; None before there is one."""
        return self._rows().last()

    def generation(self, attempt: Any) -> Generation:
        """What the provider was asked for by it."""
        asked: Generation = self._ask.generation_of(self._reads.load(attempt.pk))
        return asked

    def _once(self) -> None:
        attempts = list(self._rows())
        try:
            if not attempts:
                run = importlib.import_module("runs.models").Run.objects.only("pk").get(run_id=self._run_id)
                self._advance(run.pk)
            for attempt in attempts:
                self._take_up(attempt)
        except StaleState:  # somebody else was first; the next look shows what came of it
            return

    def _take_up(self, attempt: Any) -> None:
        if attempt.status == "planned":
            self._submit(attempt.pk)
        elif attempt.status == "settling" or (attempt.status == "accepted" and self._poll(attempt.pk).settle):
            self._settle(attempt.pk)

    def _rows(self) -> Any:
        return self._attempts.filter(run__run_id=self._run_id).order_by("pk")
