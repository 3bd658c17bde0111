"""The moves of a run's steps, and the attempts that they begin."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models.functions import Now

from core import moves
from core.errors import StaleState
from core.ids import new_id
from core.money import ZERO
from core.moves import NOW, Computed, later
from runs import policy
from runs.models import Asset, Attempt, Feedback, Step
from runs.states import StepStatus, WaitReason
from runs.transitions import bells
from runs.transitions.purse import Claim
from runs.transitions.writing import Writer, insert, step_key, subject_of
from zaps.planned import LOCAL, PlannedStep

_FINISHED: dict[str, Any] = {"progress": 1.0, "error": "", "actual_usd": Computed("coalesce(actual_usd, 0)")}
_REUSED = ("index", "kind", "content_type", "storage_key", "sha256", "size_bytes", "width", "height", "duration_s")


class StepMoves(Writer):
    """What happens to steps."""

    def start_step(
        self, step: Step, planned: PlannedStep, *, content_key: str = "", kept: Sequence[Attempt] = ()
    ) -> list[Attempt]:
        """Its parents are done: all its candidates begin, on the money that was held for them.

        `kept` are results of an earlier round that count again; only what is missing is made.
        """
        made = Attempt.objects.filter(step=step).count() if step.idem_key else 0
        taken = [self._reuse(step, source, made + place) for place, source in enumerate(kept, 1)]
        made += len(taken)
        attempts = [
            self._attempt(step, number, quote_usd=planned.quote_usd, day=step.reserved_on, content_key=content_key)
            for number in range(made + 1, made + max(planned.candidates - len(taken), 0) + 1)
        ]
        step.reserved_usd -= planned.quote_usd * len(attempts)
        held: dict[str, Any] = {"reserved_usd": step.reserved_usd} if planned.quote_usd else {}
        if step.kept_round is not None:
            held["kept_round"] = step.kept_round = None
        newest = attempts[0] if attempts else taken[-1]
        for attempt in attempts:
            self._tell(attempt)
        stored = self._move_step(
            step,
            "started",
            along=insert(attempts),
            wait_reason=None,
            idem_key=newest.idem_key,
            started_at=NOW,
            due_at=_overdue_at(),
            **held,
        )
        for attempt, pk in zip(attempts, stored, strict=True):
            attempt.pk = pk
            self._note("attempt.planned", subject_of(attempt))
        return attempts

    def try_again(
        self, step: Step, *, provider: str, model: str, quote_usd: Decimal, after_s: float, content_key: str
    ) -> Attempt:
        """One further attempt of a step that is at work. Raises OverBudget where there is no money for it."""
        number = Attempt.objects.filter(step=step).count() + 1
        claim = Claim(step_id=step.step_id, provider=provider, model=model, attempt=number)
        day = self.purse.reserve((claim, quote_usd))
        attempt = self._attempt(
            step, number, quote_usd=quote_usd, day=day, content_key=content_key, provider=provider, model=model
        )
        if after_s:
            attempt.due_at = Now() + timedelta(seconds=after_s)
        self._begin(attempt, now=not after_s)
        reason = WaitReason.BACKOFF if after_s else None
        moves.write(step, idem_key=attempt.idem_key, due_at=_overdue_at(after_s), wait_reason=reason)
        return attempt

    def judge_step(self, step: Step, *, quote_usd: Decimal) -> Attempt:
        """Somebody looks at what its attempts made. Raises OverBudget where there is no money for it."""
        number = Attempt.objects.filter(step=step).count() + 1
        claim = Claim(step_id=step.step_id, provider=LOCAL, model="judge", attempt=number)
        changes: dict[str, Any] = {}
        if step.reserved_usd >= quote_usd:
            day = step.reserved_on
            step.reserved_usd -= quote_usd
            changes["reserved_usd"] = step.reserved_usd
        else:
            day = self.purse.reserve((claim, quote_usd))
        attempt = self._attempt(step, number, quote_usd=quote_usd, day=day, provider=LOCAL, model="judge", role="judge")
        self._begin(attempt)
        moves.write(step, due_at=_overdue_at(), wait_reason=None, **changes)
        return attempt

    def judged(self, step: Step, *, score: Decimal) -> None:
        """There is a verdict on one of its candidates."""
        if step.wait_reason:
            moves.write(step, wait_reason=None)
        self._note("step.judged", step.step_id, f"{score:.2f}")

    def hold_step(
        self,
        step: Step,
        reason: WaitReason,
        *,
        error: str = "",
        best: Attempt | None = None,
        timeout_s: float | None = None,
    ) -> None:
        """A person must decide; with `timeout_s` the drain looks again then. `best` is what approval would choose."""
        step.wait_reason = reason
        proposal: dict[str, Any] = {"chosen_id": best.pk} if best else {}
        due_at = later(timeout_s) if timeout_s is not None else None
        self._move_step(
            step, "held", reason=error or reason, wait_reason=reason, error=error, due_at=due_at, **proposal,
            **self._free(step),
        )  # fmt: skip

    def wait_longer(self, step: Step, seconds: float) -> None:
        """What it waits for has not come; look again then."""
        moves.write(step, due_at=later(seconds))

    def go_on(self, step: Step) -> None:
        """It waits for nothing any more."""
        moves.write(step, wait_reason=None)

    def resume_step(self, step: Step) -> None:
        """What it waited for has come."""
        self._move_step(step, "resumed", wait_reason=None, error="", due_at=_overdue_at())

    def finish_step(self, step: Step, chosen: Attempt) -> None:
        """That attempt's assets are its result."""
        step.chosen_id = chosen.pk
        self._end_step(step, "finished", chosen_id=chosen.pk, **_FINISHED)

    def approve_step(self, step: Step, chosen: Attempt) -> None:
        """A person, or the gate's own policy, takes that attempt's assets."""
        step.chosen_id = chosen.pk
        self._end_step(step, "approved", chosen_id=chosen.pk, **_FINISHED)

    def reuse_step(self, step: Step, source: Attempt) -> Attempt:
        """The same request was made before, and its result is here: it is taken over and costs nothing."""
        attempt = self._reuse(step, source, Attempt.objects.filter(step=step).count() + 1)
        step.chosen_id = attempt.pk
        self._end_step(step, "reused", chosen_id=attempt.pk, started_at=NOW, idem_key=attempt.idem_key, **_FINISHED)
        return attempt

    def fail_step(self, step: Step, code: str) -> None:
        """Its last attempt failed, or a person refused it: nothing that it made counts."""
        step.error, step.chosen_id = code, None
        self._end_step(step, "failed", reason=code, error=code, chosen_id=None)

    def skip_step(self, step: Step, code: str = "") -> None:
        """The run can no longer use it; what was reserved for it is free again."""
        self._end_step(step, "skipped", reason=code, error=code)

    def cancel_step(self, step: Step) -> None:
        """Somebody asked us to stop. A result that arrives later is refused."""
        self._end_step(step, "canceled", **_unproposed(step))

    def reopen_steps(self, steps: Sequence[tuple[Step, PlannedStep]], *, forget: frozenset[str]) -> None:
        """They are made again, each in a new round. Raises OverBudget where there is no money for all of them.

        A step that is not in `forget` keeps its result where its request turns out to be the same. What was only
        proposed to a person is no result; where nobody decided, it is proposed again.
        """
        day = self.purse.reserve(*((Claim.of_step(step), planned.first_usd) for step, planned in steps))
        for step, planned in steps:
            kept_round = None if step.step_id in forget else _undecided_round(step)
            step.round, step.reserved_usd, step.reserved_on = step.round + 1, planned.first_usd, day
            if step.step_id in forget or step.status == StepStatus.WAITING:
                step.chosen_id = None
            self._move_step(
                step, "reopened", round=step.round, reserved_usd=step.reserved_usd, reserved_on=day, error="",
                kept_round=kept_round, chosen_id=step.chosen_id, progress=0, finished_at=None, provider_request_id="",
                wait_reason=WaitReason.DEPENDENCY, due_at=None,
            )  # fmt: skip

    def _attempt(
        self, step: Step, number: int, *, quote_usd: Decimal, day: date | None, content_key: str = "",
        provider: str | None = None, model: str | None = None, role: str = "make",
    ) -> Attempt:  # fmt: skip
        provider, model = provider or step.provider, step.model if model is None else model
        return Attempt(
            run=self.run,
            step=step,
            number=number,
            round=step.round,
            role=role,
            idem_key=step_key(self.run, step, number, provider=provider, model=model),
            content_key=content_key,
            provider=provider,
            model=model,
            capability=step.kind if role == "make" else role,
            tenant=self.run.owner_id or 0,
            quote_usd=quote_usd,
            reserved_usd=quote_usd,
            reserved_on=day if quote_usd else None,
        )

    def _reuse(self, step: Step, source: Attempt, number: int) -> Attempt:
        """That attempt's result as one of this step's, with what judges said of it."""
        attempt = self._attempt(
            step, number, quote_usd=ZERO, day=None, content_key=source.content_key, provider=source.provider,
            model=source.model,
        )  # fmt: skip
        attempt.status, attempt.cost_source, attempt.actual_usd, attempt.seed = "done", "reused", ZERO, source.seed
        attempt.due_at, attempt.finished_at, attempt.progress = None, Now(), 1.0
        attempt.save(force_insert=True)
        for asset in Asset.objects.raw(_HELD, [source.pk]):
            if not asset.storage_key:
                raise StaleState("The run that this is taken over from was deleted meanwhile.")
            taken = _taken_over(asset, attempt)
            taken.save(force_insert=True)
            if source.step_id == step.pk:
                said = asset.feedback.filter(kind="judge_score")
                Feedback.objects.bulk_create(_said_again(one, taken) for one in said)
        return attempt

    def _begin(self, attempt: Attempt, *, now: bool = True) -> None:
        """Store it; where not `now`, the drain tells a worker of it when it is due."""
        if now:
            self._tell(attempt)
        attempt.save(force_insert=True)
        self._note("attempt.planned", subject_of(attempt))

    def _tell(self, attempt: Attempt) -> None:
        """`rung_at` says that a worker is to be told of it at once, else the drain does that in its turn."""
        here = attempt.provider == LOCAL
        if here not in self._room:
            self._room[here] = bells.room_for_attempts(attempt.tenant, here=here)
        if self._room[here] > 0:
            attempt.rung_at = Now()
            self._room[here] -= 1


# Whoever deletes the other run waits, and then sees that its files are used.
_HELD = "SELECT * FROM assets WHERE attempt_id = %s ORDER BY id FOR SHARE"


def _overdue_at(after_s: float = 0) -> Computed:
    return later(policy.DEADLINE_S + policy.STEP_SLACK_S + after_s)


def _unproposed(step: Step) -> dict[str, Any]:
    """What a person was shown and never approved must not pass for a result later."""
    return {"chosen_id": None} if step.status == StepStatus.WAITING else {}


def _undecided_round(step: Step) -> int | None:
    """The round whose results nobody has accepted or refused; None where there is none."""
    if step.kept_round is not None:  # it was not begun since
        return step.kept_round
    undecided = step.status == StepStatus.CANCELED or step.error == "GATE_TIMED_OUT"
    return step.round if undecided else None


def _said_again(said: Feedback, asset: Asset) -> Feedback:
    return Feedback(
        run_id=said.run_id, step_id=said.step_id, asset=asset, kind=said.kind, rater=said.rater, scores=said.scores,
        comment=said.comment, principal_id=said.principal_id,
    )  # fmt: skip


def _taken_over(asset: Asset, attempt: Attempt) -> Asset:
    """The same file, as a result of this attempt."""
    same = {name: getattr(asset, name) for name in _REUSED}
    return Asset(
        asset_id=new_id("asset"), run_id=attempt.run_id, step_id=attempt.step_id, attempt=attempt,
        parents=[asset.asset_id], **same,
    )  # fmt: skip
