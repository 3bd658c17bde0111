"""One vendor's port: its fault plan, clock, journal and pace, and the vendor's sheet behind them."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from providers.emulator.faults import Clock, FaultPlan, Journal, Rule
from providers.emulator.postman import Postman
from providers.emulator.wire import Answer, Request, reply

CONTROL = "/__emu__/"


@dataclass(slots=True, kw_only=True)
class Pace:
    """How long a job waits and runs, in seconds, and after how many more its result is gone (None: never)."""

    queue_s: float = 0.0
    run_s: float = 0.0
    keep_s: float | None = None


class Sheet(Protocol):
    """One vendor: tells what a request is, and answers it."""

    origin: str

    def aim(self, request: Request) -> tuple[str, str]:
        """(kind of call, model), for the fault plan and the journal."""

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        """The vendor's answer; `rule` is the fault that hits this call."""


class Desk:
    """One vendor's port: control calls, faults, journal, and the vendor's sheet behind them."""

    def __init__(self, make: Callable[["Desk"], Sheet], pace: Pace) -> None:
        self.plan, self.clock, self.journal, self.pace = FaultPlan(), Clock(), Journal(), pace
        self.postman = Postman(self.plan, self.clock, self.journal)
        self.sheet = make(self)

    def handle(self, request: Request) -> Answer:
        """Answer one request."""
        if request.path.startswith(CONTROL):
            return self._control(request)
        on, model = self.sheet.aim(request)
        rule = self.plan.take(on, model)
        answer = rule.instead() if rule else None
        if answer is None:
            answer = self.sheet.answer(on, request, rule)
            answer = rule.spoil(answer) if rule else answer
        elif on == "submit" and rule:
            self.journal.submission(model, request, rule.do)
        self.journal.calls[f"{on} {'drop' if answer.drop else answer.status}"] += 1
        return answer

    def _control(self, request: Request) -> Answer:
        subject = request.path.removeprefix(CONTROL)
        controls: dict[tuple[str, str], Callable[[Mapping[str, Any]], object]] = {
            ("GET", "plan"): lambda _: self.plan.document(),
            ("POST", "plan"): self._add_rules,
            ("DELETE", "plan"): lambda _: self.plan.clear(),
            ("GET", "log"): lambda _: self.journal.document(),
            ("DELETE", "log"): lambda _: self.journal.clear(),
            ("POST", "clock"): self._set_clock,
            ("POST", "pace"): self._set_pace,
        }
        control = controls.get((request.method, subject))
        if control is None:
            return reply({"error": "There is no such control."}, 404)
        wanted = request.json()
        try:
            return reply(control(wanted if isinstance(wanted, dict) else {}))
        except (TypeError, ValueError) as exc:
            return reply({"error": str(exc)}, 422)

    def _add_rules(self, wanted: Mapping[str, Any]) -> object:
        self.plan.add(*wanted.get("rules", []))
        return self.plan.document()

    def _set_clock(self, wanted: Mapping[str, Any]) -> None:
        if wanted.get("freeze"):
            self.clock.freeze()
        self.clock.advance(float(wanted.get("advance_s", 0)))

    def _set_pace(self, wanted: Mapping[str, Any]) -> object:
        self.pace = Pace(**{**asdict(self.pace), **wanted})
        return asdict(self.pace)
