"""Look at what a step's attempts made: every judge at every candidate, a verdict a row of feedback.

Verdicts on one candidate are written together, so that none ever counts without the others.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from django.core.files.storage import default_storage

from core.again import again
from core.errors import StaleState
from core.money import ZERO
from runs import leases, policy
from runs.engine.advance import advance
from runs.judges import Judge, JudgeError, JudgeRefused, JudgeUnavailable, Kind, Sample, Verdict, combine, judges_for
from runs.models import Asset, Attempt, Feedback
from runs.states import AttemptStatus, WaitReason
from runs.transitions import Moves, moving
from zaps.planned import PlannedStep


def judge_attempt(attempt: Attempt, token: UUID) -> None:
    """Judge whatever nobody has judged yet. A judge that cannot be asked is asked again later, and then given up.

    Without a verdict nothing passes: the step waits for a person. So it does where those who judge die or break again
    and again.
    """
    _book_lost_look(attempt)
    if attempt.tries > policy.JUDGE_TRIES:
        _give_up(attempt, token, attempt.error or JudgeUnavailable.code)
        return
    planned = PlannedStep.from_json(attempt.step.spec)
    beat = leases.Heartbeat(attempt, token, seconds=policy.work_lease_s())
    for asset in _unseen(attempt):
        judges = _judges_of(asset, planned, mode=attempt.run.provider_mode)
        look = _begin_look(attempt, token, judges)
        try:
            verdicts = _judge(asset, planned, beat, judges)
        except JudgeError as exc:
            _give_up_or_again(look, exc)
            return
        _keep(look, asset, [_row(asset, verdict, planned) for verdict in verdicts], combine(verdicts))
    with moving(attempt.run_id) as moves:
        moves.done(attempt, token, actual=_paid(attempt), source=attempt.cost_source or "none", seed=None)
        advance(moves, attempt)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """A look that is out: `token` is its owner's, `usd` what it is thought to cost at most."""

    attempt: Attempt
    token: UUID
    usd: Decimal

    def book(self, moves: Moves, usd: Decimal, source: str) -> bool:
        """It has cost `usd`. False where it was taken away: then whoever did that books what it was thought to cost."""
        is_ours = leases.is_held(self.attempt, self.token)
        if is_ours and self.usd:
            moves.looked(self.attempt, usd, source=source)
        else:
            moves.paid(self.attempt, usd if is_ours else max(usd - self.usd, ZERO), source=source)
        return is_ours


def _begin_look(attempt: Attempt, token: UUID, judges: Sequence[Judge]) -> _Look:
    """What it may cost is on record before anybody is asked."""
    usd = sum((judge.quote_usd for judge in judges), ZERO)
    if usd:
        with moving(attempt.run_id) as moves:
            moves.looking(attempt, token, usd)
    return _Look(attempt=attempt, token=token, usd=usd)


@again
def _book_lost_look(attempt: Attempt) -> None:
    """Its last owner died while a look was out, or is not waited for."""
    attempt.refresh_from_db(fields=["at_stake_usd"])
    if attempt.at_stake_usd:
        with moving(attempt.run_id) as moves:
            moves.look_lost(attempt)


@again
def _keep(look: _Look, asset: Asset, rows: list[Feedback], verdict: Verdict) -> None:
    """A look that comes too late counts for nothing, and is paid for all the same."""
    with moving(look.attempt.run_id) as moves:
        is_ours = look.book(moves, verdict.usd, verdict.cost_source)
        if is_ours:
            Feedback.objects.bulk_create(rows)
            moves.judged(asset.step, score=verdict.overall)
    if not is_ours:
        raise StaleState(f"{look.attempt} was taken away.")


def _unseen(attempt: Attempt) -> list[Asset]:
    """The first file of each candidate of this round that has no verdict."""
    seen = Feedback.objects.filter(step_id=attempt.step_id, kind="judge_score", asset__isnull=False).values("asset_id")
    made = Asset.objects.filter(
        step_id=attempt.step_id,
        index=0,
        attempt__round=attempt.round,
        attempt__role="make",
        attempt__status=AttemptStatus.DONE,
    )
    return list(made.exclude(pk__in=seen).select_related("step").order_by("attempt__number"))


def _judges_of(asset: Asset, planned: PlannedStep, *, mode: str) -> Sequence[Judge]:
    """Where the recipe asks for none, candidates are compared by whoever does it for nothing."""
    judges = judges_for(mode, cast("Kind", asset.kind))
    return [judge for judge in judges if planned.judge is not None or not judge.quote_usd]


def _judge(asset: Asset, planned: PlannedStep, beat: leases.Heartbeat, judges: Sequence[Judge]) -> list[Verdict]:
    with tempfile.TemporaryDirectory(prefix="zaps-") as folder:
        path = Path(folder, f"candidate{Path(asset.storage_key).suffix}")
        with default_storage.open(asset.storage_key, "rb") as source, path.open("wb") as target:
            shutil.copyfileobj(source, target)
        sample = Sample(
            kind=cast("Kind", asset.kind),
            content_type=asset.content_type,
            path=path,
            prompt=planned.prompt,
            duration_s=planned.duration_s,
            criteria=planned.judge.criteria if planned.judge else (),
            beat=_to_the_end(beat),
        )
        return _ask_all(judges, sample, threshold=planned.judge.threshold if planned.judge else None)


def _ask_all(judges: Sequence[Judge], sample: Sample, *, threshold: Decimal | None) -> list[Verdict]:
    """One after the other; what one has seen to be bad is shown to nobody else, since some cost money.

    Raises JudgeError, with what all of them have cost.
    """
    verdicts: list[Verdict] = []
    for judge in judges:
        try:
            verdicts.append(judge.judge(sample))
        except JudgeError as exc:
            exc.usd += sum((verdict.usd for verdict in verdicts), ZERO)
            raise
        if threshold is not None and verdicts[-1].overall < threshold:
            break
    if not verdicts:
        raise JudgeRefused(f"There is no judge for a {sample.kind}.")
    return verdicts


def _give_up_or_again(look: _Look, exc: JudgeError) -> None:
    """What asking cost is booked either way."""
    attempt = look.attempt
    with moving(attempt.run_id) as moves:
        is_ours = look.book(moves, exc.usd, exc.cost_source)
        if exc.retryable and attempt.tries < policy.JUDGE_TRIES and is_ours:
            wait_s = policy.backoff_s(attempt.tries, exc.retry_after_s)
            leases.release(attempt, look.token, again_in_s=wait_s, error=exc.code)
            moves.put_off(attempt, WaitReason.BACKOFF)
            return
    _give_up(attempt, look.token, exc.code)


@again
def _give_up(attempt: Attempt, token: UUID, code: str) -> None:
    with moving(attempt.run_id) as moves:
        moves.failed(attempt, token, code=code, actual=_paid(attempt), source=attempt.cost_source or "none")
        advance(moves, attempt)


def _paid(attempt: Attempt) -> Decimal:
    """What all looks have cost, somebody else's too. For inside a transaction that has locked the run."""
    attempt.refresh_from_db(fields=["actual_usd", "reserved_usd", "cost_source"])
    return attempt.actual_usd or ZERO


def _to_the_end(beat: Callable[[], None]) -> Callable[[], None]:
    """A look that is out costs money whether or not it is still wanted: its answer is waited for."""

    def tick() -> None:
        with suppress(StaleState):
            beat()

    return tick


def _row(asset: Asset, verdict: Verdict, planned: PlannedStep) -> Feedback:
    threshold = planned.judge.threshold if planned.judge else None
    scores: dict[str, Any] = {name: float(score) for name, score in verdict.scores.items()}
    scores["overall"] = float(verdict.overall)
    scores["judge"] = verdict.judge
    if threshold is not None:
        scores["threshold"] = float(threshold)
        scores["passed"] = verdict.overall >= threshold
    if verdict.unjudged:
        scores["unjudged"] = list(verdict.unjudged)
    return Feedback(
        run_id=asset.run_id, step_id=asset.step_id, asset=asset, kind="judge_score", rater=verdict.rater, scores=scores,
        comment=verdict.remarks,
    )  # fmt: skip
