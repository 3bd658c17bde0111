"""One claimed run from its claim to its report."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from flow_worker.backend import Backend, Refused, Unreachable
from flow_worker.commands import CannotRun, Surroundings, command_for
from flow_worker.outcome import Outcome
from flow_worker.packages import Package
from flow_worker.process import Running
from flow_worker.transcript import Transcript

logger = logging.getLogger(__name__)

_FLUSH_S = 0.5
_BEAT_S = 5.0  # at most, however long the lease: the answer is how a step hears that it was canceled
_UNFIT = (400, 413)  # what is said cannot be taken, however often


class Job:
    """A run that this worker holds. While it runs its lease is kept; when the lease is lost, the step is ended."""

    def __init__(self, claim: Mapping[str, Any], package: Package, backend: Backend, *, lease_ms: int) -> None:
        self.claim, self._package, self._backend, self._lease_ms = claim, package, backend, lease_ms
        self._held = {"leaseToken": claim["leaseToken"]}
        self._holds_until = time.monotonic() + lease_ms / 1000
        self._transcript = Transcript(self._send)
        self._running: Running | None = None
        self._over = threading.Event()
        self._is_lost = self._gives_back = self._has_ended = False

    def run(self, around: Surroundings) -> str:
        """Do it: completed, failed, queued, released or lost."""
        name = f"{self.claim['flowName']}/{self.claim['stepName']}"
        logger.info("run=%s step=%s attempt=%s", self.claim["runId"], name, self.claim["attemptNumber"])
        # Apart, so that output which is slow to send, or has no end, holds up no heartbeat.
        keepers = [threading.Thread(target=self._keep, args=args, daemon=True) for args in self._duties()]
        for keeper in keepers:
            keeper.start()
        why = ""
        try:
            outcome = self._carry_out(around)
            why = outcome.error.partition("\n")[0]  # the sentence; what follows is the step's own
            became = self._report(outcome)
        except (Refused, Unreachable) as exc:
            became = "lost"
            logger.warning("run=%s lost=%s", self.claim["runId"], exc)
        finally:
            self._over.set()
            for keeper in keepers:
                keeper.join()
        number = self.claim["attemptNumber"]
        logger.info("run=%s attempt=%s became=%s step=%s %s", self.claim["runId"], number, became, name, why)
        return became

    def give_back(self) -> None:
        """End the step now and let another worker have the run."""
        self._gives_back = True
        if self._running is not None:
            self._running.stop()

    def _carry_out(self, around: Surroundings) -> Outcome:
        try:
            command = command_for(self.claim, self._package, around)
            self._running = Running(command, self._transcript.write)
        except (CannotRun, OSError, ValueError) as exc:
            return Outcome(error=str(exc))
        if self._gives_back or self._is_lost:
            self._running.stop()
        ended = self._running.wait(while_=self._holds)
        self._transcript.close()
        return self._transcript.outcome(ended, timeout_s=command.timeout_s)

    def _report(self, outcome: Outcome) -> str:
        self._has_ended = True
        if self._is_lost:
            return "lost"
        self._transcript.flush()
        if self._gives_back and outcome.result is None:
            self._tell("release", {})
            return "released"
        if outcome.result is None:
            return self._fail(outcome.error)
        try:
            return str(self._tell("complete", {"result": outcome.result})["status"])
        except Refused as exc:
            if exc.status not in _UNFIT:
                raise
            return self._fail(f"The step's result was refused: {exc}")

    def _fail(self, error: str) -> str:
        return str(self._tell("fail", {"error": error})["status"])

    def _duties(self) -> tuple[tuple[Callable[[], None], float], ...]:
        """What is done while the step runs, and how often in seconds."""
        return (self._beat, min(self._lease_ms / 3000, _BEAT_S)), (self._transcript.flush, _FLUSH_S)

    def _keep(self, duty: Callable[[], None], every_s: float) -> None:
        while not self._over.wait(every_s):
            try:
                duty()
            except Unreachable:
                pass  # the lease says how long we may go on without an answer
            except Refused as exc:
                return self._lose("canceled" if exc.is_canceled else exc.code)

    def _beat(self) -> None:
        asked_at = time.monotonic()
        body = {**self._held, "leaseMs": self._lease_ms}
        self._backend.report(self.claim["attemptId"], "heartbeat", body, while_=lambda: False)
        self._holds_until = asked_at + self._lease_ms / 1000

    def _holds(self) -> bool:
        """Whether the step may go on."""
        if not self._is_lost and not self._may_hold():
            self._lose("the server was not reached while the lease lasted")
        return not self._is_lost

    def _lose(self, why: str) -> None:
        logger.warning("run=%s lease lost: %s", self.claim["runId"], why)
        self._is_lost = True
        if self._running is not None:
            self._running.stop()

    def _send(self, pieces: list[dict[str, Any]]) -> None:
        body = {**self._held, "output": pieces}
        stored = self._backend.report(self.claim["attemptId"], "output", body, while_=self._is_reporting)
        if stored.get("isCut"):
            self._transcript.enough()

    def _tell(self, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._backend.report(self.claim["attemptId"], verb, {**self._held, **body}, while_=self._may_hold)

    def _is_reporting(self) -> bool:
        # While the step runs, output waits for the next flush instead.
        return self._has_ended and self._may_hold()

    def _may_hold(self) -> bool:
        return time.monotonic() < self._holds_until
