"""The worker: it tells of its flows, claims runs for them, and carries out as many at once as it has slots."""

import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flow_worker.backend import Backend, Refused, Unreachable
from flow_worker.commands import Surroundings, runners_here
from flow_worker.job import Job
from flow_worker.packages import Found, discover

logger = logging.getLogger(__name__)

_AGAIN_S = 2.0
_LOOK_S = 0.2
_OTHER_VERSION_MS = 5000
_NOT_LET_IN = (401, 403)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How a worker works. `drain_s` is how long a step may go on after the worker was asked to end."""

    roots: Sequence[Path]
    slots: int = 1
    runners: Sequence[str] = field(default_factory=runners_here)
    labels: Sequence[str] = ()
    lease_ms: int = 60_000
    wait_ms: int = 5000  # for work; so long may it take until a worker that has none hears that it is to end
    drain_s: float = 30.0
    once: bool = False
    around: Surroundings = field(default_factory=Surroundings)
    name: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")


class Worker:
    """Works until `stop` is called, or with `once` until nothing is left to do."""

    def __init__(self, backend: Backend, options: Options) -> None:
        self._backend, self._options = backend, options
        self._asked = 0
        self._jobs: set[Job] = set()
        self._free = threading.Semaphore(options.slots)
        self._refusal: Refused | Unreachable | None = None
        self.done = 0

    def stop(self) -> None:
        """Claim nothing more; steps that run may come to their end within `drain_s`. Asked again: end them now."""
        self._asked += 1  # and nothing that takes a lock, since a signal comes at any moment

    def run(self) -> Found:
        """Work. Returns the flows that there were.

        Raises Refused where the server does not let this worker in, and with `once` Unreachable.
        """
        found = discover(self._options.roots)
        for sentence in found.broken:
            logger.warning("left out: %s", sentence)
        self._sync(found)
        with ThreadPoolExecutor(self._options.slots) as pool:
            while not self._asked and self._take(found, pool):
                pass
            self._drain()
        if self._refusal is not None:
            raise self._refusal
        return found

    def _take(self, found: Found, pool: ThreadPoolExecutor) -> bool:
        """Claim as many runs as slots are free and begin them. False: there is nothing left to do."""
        if not self._free.acquire(timeout=_LOOK_S):
            return True
        slots = 1
        while slots < self._options.slots and self._free.acquire(blocking=False):
            slots += 1
        is_busy = bool(self._jobs)
        claims = self._claim(found, slots)
        for _ in range(slots - len(claims)):
            self._free.release()
        for claim in claims:
            self._begin(claim, found, pool)
        if claims or not self._options.once:
            return True
        self._pause(_LOOK_S)  # what runs may start more
        return is_busy

    def _claim(self, found: Found, slots: int) -> list[dict[str, Any]]:
        body = {
            "workerId": self._options.name,
            "count": slots,
            "leaseMs": self._options.lease_ms,
            "runners": list(self._options.runners),
            "flows": [package.name for package in found.packages],
            "labels": list(self._options.labels),
            "waitMs": 0 if self._options.once else self._options.wait_ms,
        }
        try:
            return self._backend.claim(body)
        except (Unreachable, Refused) as exc:
            logger.warning("claim: %s", exc)
            self._wait_or_end(exc)
            return []

    def _begin(self, claim: dict[str, Any], found: Found, pool: ThreadPoolExecutor) -> None:
        package = found.get(claim["flowName"])
        if self._asked:
            self._pass_on(claim, delay_ms=0)
            return
        if package is None or package.manifest["version"] != claim["flowVersion"]:
            # Another version of the flow than the run was made for would do something else under its name.
            logger.warning("run=%s is of version %s of %s", claim["runId"], claim["flowVersion"], claim["flowName"])
            self._pass_on(claim, delay_ms=_OTHER_VERSION_MS)
            return
        job = Job(claim, package, self._backend, lease_ms=self._options.lease_ms)
        self._jobs.add(job)
        pool.submit(job.run, self._options.around).add_done_callback(lambda future: self._ended(job, future))

    def _pass_on(self, claim: dict[str, Any], *, delay_ms: int) -> None:
        body = {"leaseToken": claim["leaseToken"], "delayMs": delay_ms}
        try:
            self._backend.report(claim["attemptId"], "release", body, while_=lambda: False)
        except (Unreachable, Refused) as exc:
            logger.warning("release: %s", exc)
        self._free.release()

    def _ended(self, job: Job, future: "Future[str]") -> None:
        self._jobs.discard(job)
        self.done += 1
        self._free.release()
        if future.exception() is not None:
            logger.error("run=%s broke the worker", job.claim["runId"], exc_info=future.exception())

    def _drain(self) -> None:
        until = time.monotonic() + self._options.drain_s
        if self._jobs:
            logger.info("ending, when %s steps have ended or in %g s", len(self._jobs), self._options.drain_s)
        while self._jobs and self._asked < 2 and time.monotonic() < until:
            time.sleep(0.05)
        for job in list(self._jobs):
            job.give_back()

    def _sync(self, found: Found) -> None:
        for package in found.packages:
            while not self._asked:
                try:
                    logger.info("flow=%s %s", package.name, self._backend.sync(package.manifest))
                    break
                except Refused as exc:
                    logger.warning("flow=%s refused: %s", package.name, exc)
                    if exc.status not in _NOT_LET_IN:
                        break
                    self._wait_or_end(exc)
                except Unreachable as exc:
                    logger.warning("flow=%s: %s", package.name, exc)
                    self._wait_or_end(exc)

    def _wait_or_end(self, exc: Refused | Unreachable) -> None:
        """The server may come back; but it lets nobody in whom it did not before, and `once` waits for nobody."""
        is_hopeless = exc.status in _NOT_LET_IN if isinstance(exc, Refused) else self._options.once and not self._jobs
        if is_hopeless:
            self._refusal = exc
            self._asked = self._asked or 1
        self._pause(_AGAIN_S)

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self._asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(_LOOK_S, left))
