"""What every move of a locked run shares: the conditional UPDATE, its event, the new revision, and the money."""

import hashlib
import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Model

from core import moves
from core.moves import NOW, Computed, later
from core.rows import insertion
from runs import dispatch, heralds
from runs.heralds import Told
from runs.models import Attempt, Run, Step
from runs.states import ATTEMPT_MOVES, RUN_MOVES, STEP_MOVES, Stage
from runs.transitions.purse import Claim, Purse

_EVENTS = """
    INSERT INTO run_events (run_id, seq, type, subject, actor, reason, happened_at)
    SELECT %s::bigint, %s::bigint + place - 1, type, subject, %s::text, reason, statement_timestamp()
    FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS v(type, subject, reason, place)"""
NO_LEASE: dict[str, Any] = {"lease_until": None, "lease_token": None}


def step_key(run: Run, step: Step, number: int, *, provider: str, model: str) -> str:
    """The attempt's idempotency key: the same try of the same request always has the same one."""
    request = {**step.spec, "provider": provider, "model": model}
    text = json.dumps(request, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"zap:idem:{run.run_id}:{step.step_id}:{number}:{digest}"


def subject_of(attempt: Attempt) -> str:
    """How events call it."""
    return f"{attempt.step.step_id}#{attempt.number}"


def held_by(token: UUID) -> Computed:
    """Only while that lease is the attempt's."""
    return Computed("lease_token = %s", (token,))


def insert(new: Sequence[Model]) -> Computed | None:
    """An INSERT of rows of one table, made alike, to carry out along with a move; None where there are none."""
    return Computed(*insertion(new)) if new else None


def lease(token: UUID, seconds: int) -> dict[str, Any]:
    """The columns of a fresh lease."""
    return {"lease_token": token, "lease_until": later(seconds)}


class Writer:
    """One locked run. `run` carries the values that will be written at the end."""

    def __init__(self, run: Run, actor: str) -> None:
        self.run = run
        self.actor = actor
        self.purse = Purse(run)
        self._events: list[tuple[str, str, str]] = []  # type, subject, reason
        self._changes: dict[str, Any] = {}
        self._run_move: moves.Move | None = None
        self._run_moves: list[tuple[str, int]] = []  # what happened, and its place among the events
        self._room: dict[bool, int] = {}  # for bells: of how many attempts workers may still be told

    def flush(self) -> None:
        """Write the run's own move and changes, its revision, the events and the money."""
        self._changes |= self.purse.write()
        along = self._events_to_write()
        if self._run_move is not None:
            moves.apply(self.run, self._run_move, along=along, **self._changes)
        elif self._changes:
            moves.write(self.run, along=along, **self._changes)
        if along is not None:
            dispatch.changed_soon((self.run.pk, self.run.owner_id, self.run.revision))
        if self._run_moves:
            first = self.run.revision - len(self._events) + 1
            heralds.herald().moved(self.run, [Told(event, first + place) for event, place in self._run_moves])

    def _events_to_write(self) -> Computed | None:
        if not self._events:
            return None
        first = self.run.revision + 1
        self._changes["revision"] = self.run.revision = self.run.revision + len(self._events)
        types, subjects, reasons = (list(column) for column in zip(*self._events, strict=True))
        return Computed(_EVENTS, (self.run.pk, first, self.actor, types, subjects, reasons))

    def _move_run(self, event: str, *, reason: str = "", **changes: Any) -> None:
        """Note the move; it is written with everything else of the run, or before the next one."""
        if self._run_move is not None:
            moves.apply(self.run, self._run_move, **self._changes)
            self._changes = {}
        self._run_move = RUN_MOVES[event]
        self._changes |= changes
        self._run_moves.append((event, len(self._events)))
        self._note(f"run.{event}", self.run.run_id, reason)
        self.run.status = self._run_move.target

    def _end_run(self, event: str, stage: Stage, *, reason: str = "", **changes: Any) -> None:
        self._move_run(event, reason=reason, stage=stage, wait_reason=None, due_at=None, finished_at=NOW, **changes)

    def _move_step(self, step: Step, event: str, *, reason: str = "", **changes: Any) -> list[int]:
        stored = moves.apply(step, STEP_MOVES[event], **changes)
        step.status = STEP_MOVES[event].target
        self._note(f"step.{event}", step.step_id, reason)
        return stored

    def _end_step(self, step: Step, event: str, *, reason: str = "", **changes: Any) -> None:
        """It is over: what was held for attempts that were never made is free again."""
        freed = self._free(step)
        ended = {"wait_reason": None, "due_at": None, "finished_at": NOW}
        self._move_step(step, event, reason=reason, **{**ended, **freed, **changes})

    def _free(self, step: Step) -> dict[str, Any]:
        if not step.reserved_usd:
            return {}
        self.purse.release(Claim.of_step(step), step.reserved_usd, step.reserved_on)
        step.reserved_usd = Decimal(0)
        return {"reserved_usd": 0, "reserved_on": None}

    def _move_attempt(
        self, attempt: Attempt, event: str, *, only: Computed | None = None, reason: str = "", **changes: Any
    ) -> None:
        moves.apply(attempt, ATTEMPT_MOVES[event], only=only, **changes)
        attempt.status = ATTEMPT_MOVES[event].target
        self._note(f"attempt.{event}", subject_of(attempt), reason)

    def _note(self, type_: str, subject: str, reason: str = "") -> None:
        self._events.append((type_, subject, str(reason)))
