"""What one agent server may spend in its life. Whoever starts it decides; nothing that a model says changes it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from cli import faults, talk
from cli.exits import Exit

ZERO = Decimal(0)
_FINAL = frozenset({"done", "failed", "canceled"})
Look = Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """Dollars: of all runs together, and of what one call may commit. Zero allows nothing."""

    total_usd: Decimal = ZERO
    call_usd: Decimal = ZERO


class Purse:
    """Holds a run's whole cap from before it is ordered; when it has ended, what it did cost.

    A run that somebody else started counts from what it had cost when it was first touched here.
    """

    def __init__(self, allowance: Allowance, *, look: Look) -> None:
        """`look` reads a run's snapshot."""
        self._allowance = allowance
        self._look = look
        self._lock = threading.Lock()
        self._held: dict[str, Decimal] = {}  # by run id; by the order's key until there is one
        self._before: dict[str, Decimal] = {}  # by run id: what others had spent on it
        self._open: set[str] = set()  # runs that had not ended when we last looked

    @property
    def left_usd(self) -> Decimal:
        """What may still be committed, as far as is known without looking."""
        return max(self._allowance.total_usd - sum(self._held.values(), ZERO), ZERO)

    @property
    def call_usd(self) -> Decimal:
        """The most that one call may commit."""
        return self._allowance.call_usd

    def require_open(self) -> None:
        """Raises Fault where nothing may be spent at all."""
        if not self._allowance.total_usd:
            raise _refused(
                "SPENDING_NOT_ALLOWED",
                "This server was started without leave to spend.",
                "Use mode mock, or ask the person to start it again with --allow-spend --max-usd X.",
            )

    def limit(self, asked_usd: float | None) -> Decimal:
        """The cap of one order: what the caller asked for, else what a call may commit. Raises Fault."""
        self.require_open()
        asked = self.call_usd if asked_usd is None else Decimal(str(asked_usd))
        self._require_small(asked)
        return asked

    def hold(self, key: str, usd: Decimal) -> None:
        """Commit that much for the order `key`, whose run has no id yet. Raises Fault."""
        with self._lock:
            self._raise_to(key, usd)

    def give_back(self, key: str) -> None:
        """The order was refused: nothing was begun."""
        with self._lock:
            self._held.pop(key, None)

    def begun(self, key: str, run_id: str) -> None:
        """The order `key` became that run."""
        with self._lock:
            self._held[run_id] = self._held.pop(key)
            self._open.add(run_id)

    def cover(self, snapshot: Mapping[str, Any]) -> None:
        """Commit whatever else the run may come to cost when it goes on. Free runs cost nothing. Raises Fault."""
        run = snapshot["run"]
        if run["providerMode"] != "live":
            return
        self.require_open()
        with self._lock:
            run_id = run["runId"]
            before = self._before.get(run_id, ZERO) if run_id in self._held else _usd(run["costUsd"])
            self._raise_to(run_id, _usd(run["capUsd"]) - before)
            self._before[run_id] = before
            self._open.add(run_id)

    def _raise_to(self, name: str, usd: Decimal) -> None:
        more = usd - self._held.get(name, ZERO)
        if more <= 0:
            return
        self._require_small(more)
        if more > self.left_usd:
            self._settle()
        if more > self.left_usd:
            raise _refused(
                "SPEND_TOTAL_LIMIT",
                f"This may cost {_told(more)}, and of {_told(self._allowance.total_usd)} only "
                f"{_told(self.left_usd)} is left for this server.",
                "Wait until running ones have ended, lower max_usd, or ask the person for a larger --max-usd.",
            )
        self._held[name] = self._held.get(name, ZERO) + more

    def _require_small(self, usd: Decimal) -> None:
        if usd > self.call_usd:
            raise _refused(
                "SPEND_CALL_LIMIT",
                f"This may cost {_told(usd)}, and one call may commit {_told(self.call_usd)}.",
                "Lower max_usd, or ask the person for a larger --max-usd-call.",
            )

    def _settle(self) -> None:
        """Of runs that have ended only what they did cost stays held; what may yet be billed is part of it."""
        for run_id in sorted(self._open):
            try:
                run = self._look(run_id)["run"]
            except faults.Fault:  # it cannot be told: it stays held
                continue
            if run["status"] in _FINAL:
                self._open.discard(run_id)
                cost = _usd(run["costUsd"]) + _usd(run["reservedUsd"])
                self._held[run_id] = max(cost - self._before.get(run_id, ZERO), ZERO)


def _usd(number: float) -> Decimal:
    return Decimal(str(number))


def _told(usd: Decimal) -> str:
    return talk.usd(float(usd))


def _refused(code: str, detail: str, remediation: str) -> faults.Fault:
    return faults.fault(code, detail, exit_code=Exit.REFUSED, remediation=remediation)
