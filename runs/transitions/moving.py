"""Moves of one run, made together.

They are made inside `moving(run)`: it locks the run first, so that the moves of one run never interleave, and on
leaving it writes the new revision and one event a move, in the same transaction.
"""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from psycopg.types.json import Jsonb

from core import moves
from core.errors import NotFound
from core.money import ZERO
from core.moves import NOW, Computed, later
from runs import policy
from runs.models import Attempt, Run, Step
from runs.states import (
    ATTEMPT_MOVES,
    RUN_MOVES,
    STEP_MOVES,
    AttemptStatus,
    Stage,
    StepStatus,
    WaitReason,
)

_LOCKED = ["id", "run_id", "status", "stage", "wait_reason", "revision", "reserved_usd", "cost_usd"]
_LOCK = f"SELECT {', '.join(_LOCKED)} FROM runs WHERE id = %s FOR UPDATE"  # noqa: S608 (our own column names)
_EVENTS = """
    INSERT INTO run_events (run_id, seq, type, subject, actor, reason, happened_at)
    SELECT %s::bigint, %s::bigint + place - 1, type, subject, %s::text, reason, statement_timestamp()
    FROM unnest(%s::text[], %s::text[], %s::text[]) WITH ORDINALITY AS v(type, subject, reason, place)"""
_NO_LEASE: dict[str, Any] = {"lease_until": None, "lease_token": None}


def step_key(run: Run, step: Step, number: int) -> str:
    """The attempt's idempotency key: the same try of the same request always has the same one."""
    request = json.dumps(step.spec, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(request.encode()).hexdigest()[:16]
    return f"zap:idem:{run.run_id}:{step.step_id}:{number}:{digest}"


def subject_of(attempt: Attempt) -> str:
    return f"{attempt.step.step_id}#{attempt.number}"


def _held_by(token: UUID) -> Computed:
    return Computed("lease_token = %s", (token,))


def _lease(token: UUID, seconds: int) -> dict[str, Any]:
    return {"lease_token": token, "lease_until": later(seconds)}


def _plus(actual: Decimal) -> Computed:
    return Computed("coalesce(actual_usd, 0) + %s", (actual,))


class Moves:
    """The moves of one locked run. `run` carries the values that will be written at the end."""

    def __init__(self, run: Run, actor: str) -> None:
        self.run = run
        self.actor = actor
        self._events: list[tuple[str, str, str]] = []  # type, subject, reason
        self._changes: dict[str, Any] = {}
        self._run_move: moves.Move | None = None

    # The run

    def start_run(self) -> None:
        """The first step begins."""
        self._move_run("started")

    def hold_run(self, reason: WaitReason) -> None:
        """Nothing moves until a person decides."""
        self._move_run("held", reason=reason, wait_reason=reason, due_at=None, stage=Stage.REVIEW)

    def resume_run(self) -> None:
        """What it waited for has come."""
        self._move_run("resumed", wait_reason=None, due_at=NOW)

    def finish_run(self, *, zap_url: str) -> None:
        """Every step is done."""
        self._end_run("finished", Stage.COMPLETE, zap_url=zap_url)

    def fail_run(self, code: str) -> None:
        """A step failed and nothing else is at work."""
        self._end_run("failed", Stage.FAILED, reason=code, error=code)

    def cancel_run(self) -> None:
        """Somebody asked to stop. Results that arrive later are refused."""
        self._end_run("canceled", Stage.CANCELED)

    def check_run_in(self, seconds: float, *, stage: Stage) -> None:
        """Nothing happened to the run itself; look again then."""
        self._changes["due_at"] = later(seconds)
        if stage != self.run.stage:
            self._changes["stage"] = stage

    # Steps

    def start_step(self, step: Step) -> Attempt:
        """Its parents are done: the step begins with a first attempt, or a further one."""
        number = Attempt.objects.filter(step=step).count() + 1 if step.idem_key else 1
        attempt = Attempt(
            run=self.run,
            step=step,
            number=number,
            idem_key=step_key(self.run, step, number),
            provider=step.provider,
            model=step.model,
            capability=step.kind,
            quote_usd=step.price_quote_usd,
            reserved_usd=step.price_quote_usd,
        )
        self._move_step(
            step,
            "started",
            wait_reason=None,
            idem_key=attempt.idem_key,
            started_at=NOW,
            due_at=later(policy.DEADLINE_S + policy.STEP_SLACK_S),
        )
        attempt.save(force_insert=True)
        self._note("attempt.planned", subject_of(attempt))
        return attempt

    def hold_step(self, step: Step, reason: WaitReason, *, error: str = "") -> None:
        """A person must decide."""
        step.wait_reason = reason
        self._move_step(step, "held", reason=reason, wait_reason=reason, error=error, due_at=None)

    def resume_step(self, step: Step) -> None:
        """What it waited for has come."""
        due_at = later(policy.DEADLINE_S + policy.STEP_SLACK_S)
        self._move_step(step, "resumed", wait_reason=None, error="", due_at=due_at)

    def fail_step(self, step: Step, code: str) -> None:
        """Its last attempt failed."""
        step.error = code
        self._end_step(step, "failed", reason=code, error=code)

    def skip_step(self, step: Step) -> None:
        """The run can no longer use it; what was reserved for it is free again."""
        self._release(step.price_quote_usd)
        self._end_step(step, "skipped")

    def cancel_step(self, step: Step) -> None:
        """Somebody asked us to stop. A result that arrives later is refused."""
        if step.status == StepStatus.QUEUED:
            self._release(step.price_quote_usd)
        self._end_step(step, "canceled")

    # Attempts

    def postponed(self, attempt: Attempt, token: UUID, *, code: str, wait_s: float, reason: WaitReason) -> None:
        """The request provably never arrived; the same attempt may be sent again."""
        due_at = later(wait_s)
        self._move_attempt(
            attempt, "postponed", only=_held_by(token), reason=code, error=code, due_at=due_at, **_NO_LEASE
        )
        self._say_why(attempt, reason)

    def accepted(self, attempt: Attempt, token: UUID, *, request_id: str, urls: dict[str, str]) -> None:
        """The submitter's own late answer: the proof that ends `unknown`."""
        self._move_attempt(
            attempt,
            "accepted",
            only=_held_by(token),
            provider_request_id=request_id,
            urls=Jsonb(urls),
            tries=0,
            error="",
            accepted_at=NOW,
            deadline_at=later(policy.DEADLINE_S),
            due_at=NOW,
            lease_until=later(policy.poll_lease_s()),
        )
        moves.write(attempt.step, provider_request_id=request_id)

    def unknown(self, attempt: Attempt, token: UUID | None) -> None:
        """Nobody can tell whether the request arrived. The token stays valid for the submitter's late answer."""
        only = _held_by(token) if token else Computed("lease_until < statement_timestamp()")
        self._move_attempt(
            attempt, "unknown", only=only, reason="SUBMISSION_UNKNOWN", error="SUBMISSION_UNKNOWN", due_at=None
        )

    def rendering(self, attempt: Attempt, token: UUID) -> None:
        """A local step begins on our own machine."""
        self._move_attempt(
            attempt,
            "rendering",
            tries=1,
            submitted_at=NOW,
            settling_at=NOW,
            due_at=later(policy.work_lease_s()),
            **_lease(token, policy.work_lease_s()),
        )
        attempt.tries = 1

    def done(
        self, attempt: Attempt, step: Step, token: UUID, *, actual: Decimal, source: str, seed: int | None
    ) -> None:
        """Its results are stored: the attempt and its step close, and the money is booked."""
        self._end_attempt(attempt, "done", only=_held_by(token), actual=actual, source=source, seed=seed, progress=1.0)
        self._end_step(step, "finished", progress=1.0, error="", actual_usd=_plus(actual))

    def failed(self, attempt: Attempt, token: UUID | None, *, code: str, actual: Decimal, source: str) -> None:
        """It will not deliver."""
        only = _held_by(token) if token else None
        self._end_attempt(attempt, "failed", only=only, reason=code, error=code, actual=actual, source=source)
        self._charge(attempt, actual)

    def lost(self, attempt: Attempt) -> None:
        """Its submission stays unknown and its recipe says not to wait. What it may have cost stays reserved."""
        self._close_attempt(attempt, "failed", reason="SUBMISSION_UNKNOWN", error="SUBMISSION_UNKNOWN")

    def canceling(self, attempt: Attempt) -> None:
        """Nobody wants it any more; the provider has to be told, and asked what it cost.

        A submission that is still out keeps its token: its answer names the job that has to be stopped.
        """
        free = {} if attempt.status in {AttemptStatus.SUBMITTING, AttemptStatus.UNKNOWN} else _NO_LEASE
        self._move_attempt(attempt, "canceling", tries=0, due_at=NOW, **free)

    def canceled(self, attempt: Attempt, *, actual: Decimal, source: str, only: Computed | None = None) -> None:
        """It has ended, or had not begun."""
        self._end_attempt(attempt, "canceled", only=only, actual=actual, source=source)
        self._charge(attempt, actual)

    def abandoned(self, attempt: Attempt) -> None:
        """Canceled, and its fate never became known: what it may have cost stays reserved."""
        self._close_attempt(attempt, "canceled", reason="SUBMISSION_UNKNOWN", error="SUBMISSION_UNKNOWN")

    # Underneath

    def flush(self) -> None:
        """Write the run's own move and changes, its revision, and the events."""
        along = self._events_to_write()
        if self._run_move is not None:
            moves.apply(self.run, self._run_move, along=along, **self._changes)
        elif self._changes:
            moves.write(self.run, along=along, **self._changes)

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
        self._note(f"run.{event}", self.run.run_id, reason)
        self.run.status = self._run_move.target

    def _end_run(self, event: str, stage: Stage, *, reason: str = "", **changes: Any) -> None:
        self._move_run(event, reason=reason, stage=stage, wait_reason=None, due_at=None, finished_at=NOW, **changes)

    def _move_step(self, step: Step, event: str, *, reason: str = "", **changes: Any) -> None:
        moves.apply(step, STEP_MOVES[event], **changes)
        step.status = STEP_MOVES[event].target
        self._note(f"step.{event}", step.step_id, reason)

    def _end_step(self, step: Step, event: str, *, reason: str = "", **changes: Any) -> None:
        self._move_step(
            step, event, reason=reason, **{"wait_reason": None, "due_at": None, "finished_at": NOW, **changes}
        )

    def _move_attempt(
        self, attempt: Attempt, event: str, *, only: Computed | None = None, reason: str = "", **changes: Any
    ) -> None:
        moves.apply(attempt, ATTEMPT_MOVES[event], only=only, **changes)
        attempt.status = ATTEMPT_MOVES[event].target
        self._note(f"attempt.{event}", subject_of(attempt), reason)

    def _close_attempt(self, attempt: Attempt, event: str, **changes: Any) -> None:
        self._move_attempt(attempt, event, due_at=None, finished_at=NOW, **_NO_LEASE, **changes)

    def _end_attempt(self, attempt: Attempt, event: str, *, actual: Decimal, source: str, **changes: Any) -> None:
        """Close the attempt and move what it held of the cap to what it cost."""
        self._close_attempt(attempt, event, reserved_usd=ZERO, actual_usd=actual, cost_source=source, **changes)
        self._release(attempt.reserved_usd)
        if actual:
            self._changes["cost_usd"] = self.run.cost_usd = self.run.cost_usd + actual

    def _charge(self, attempt: Attempt, actual: Decimal) -> None:
        moves.write(attempt.step, actual_usd=_plus(actual))

    def _release(self, reserved: Decimal) -> None:
        if reserved:
            self._changes["reserved_usd"] = self.run.reserved_usd = self.run.reserved_usd - reserved

    def _say_why(self, attempt: Attempt, reason: WaitReason) -> None:
        moves.write(attempt.step, wait_reason=reason)

    def _note(self, type_: str, subject: str, reason: str = "") -> None:
        self._events.append((type_, subject, str(reason)))


@contextmanager
def moving(run_pk: int, *, actor: str = "worker") -> Iterator[Moves]:
    """Lock the run and let it move; on leaving, revision and events are written.

    Raises StaleState out of the block when a move was refused: everything in the block is rolled back.
    """
    with transaction.atomic():
        moving_run = Moves(_locked(run_pk), actor)
        yield moving_run
        moving_run.flush()


def _locked(run_pk: int) -> Run:
    """The run, locked until the transaction ends, without its bulky texts."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [run_pk])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("The run is gone.")
    return Run.from_db(None, _LOCKED, row)
