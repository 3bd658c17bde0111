"""One claimed run from its claim to its report."""

import logging
import threading
import time
from collections.abc import Mapping
from typing import Any

from flow_worker.backend import Backend, Refused, Unreachable
from flow_worker.commands import CannotRun, Surroundings, command_for
from flow_worker.outcome import Outcome
from flow_worker.packages import Package
from flow_worker.process import Running
from flow_worker.transcript import Transcript

logger = logging.getLogger(__name__)

_FLUSH_S = 0.5


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
        """Do it: completed, failed, released or lost."""
        name = f"{self.claim['flowName']}/{self.claim['stepName']}"
        logger.info("run=%s step=%s attempt=%s", self.claim["runId"], name, self.claim["attemptNumber"])
        keeper = threading.Thread(target=self._keep, daemon=True)
        keeper.start()
        try:
            became = self._report(self._carry_out(around))
        except (Refused, Unreachable) as exc:
            became = "lost"
            logger.warning("run=%s lost=%s", self.claim["runId"], exc)
        finally:
            self._over.set()
            keeper.join()
        logger.info("run=%s became=%s", self.claim["runId"], became)
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
        except (CannotRun, OSError) as exc:
            return Outcome(error=str(exc))
        if self._gives_back or self._is_lost:
            self._running.stop()
        ended = self._running.wait()
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
            return str(self._tell("fail", {"error": outcome.error})["status"])
        return str(self._tell("complete", {"result": outcome.result})["status"])

    def _keep(self) -> None:
        """Heartbeats and output, until the job is over or the lease is lost."""
        beat_every_s = self._lease_ms / 3000
        beat_at = time.monotonic() + beat_every_s
        while not self._over.wait(_FLUSH_S):
            try:
                self._transcript.flush()
                if time.monotonic() >= beat_at:
                    self._backend.report(
                        self.claim["attemptId"], "heartbeat", {**self._held, "leaseMs": self._lease_ms},
                        while_=lambda: False,
                    )  # fmt: skip
                    beat_at = time.monotonic() + beat_every_s
                    self._holds_until = time.monotonic() + self._lease_ms / 1000
            except Unreachable:
                if not self._may_hold():
                    return self._lose("the server was not reached while the lease lasted")
            except Refused as exc:
                return self._lose("canceled" if exc.is_canceled else exc.code)

    def _lose(self, why: str) -> None:
        logger.warning("run=%s lease lost: %s", self.claim["runId"], why)
        self._is_lost = True
        if self._running is not None:
            self._running.stop()

    def _send(self, pieces: list[dict[str, Any]]) -> None:
        self._backend.report(
            self.claim["attemptId"], "output", {**self._held, "output": pieces}, while_=self._is_reporting
        )

    def _tell(self, verb: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._backend.report(self.claim["attemptId"], verb, {**self._held, **body}, while_=self._may_hold)

    def _is_reporting(self) -> bool:
        # While the step runs, output waits for the next flush instead, so that heartbeats are not held up.
        return self._has_ended and self._may_hold()

    def _may_hold(self) -> bool:
        return time.monotonic() < self._holds_until
