"""Look at what a step's attempts made: every judge at every candidate, a verdict a row of feedback.

Verdicts on one candidate are written together, so that none ever counts without the others.
"""

import shutil
import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from django.core.files.storage import default_storage

from runs import leases, policy
from runs.engine.advance import advance
from runs.judges import JudgeError, JudgeRefused, Kind, Sample, Verdict, combine, judges_for
from runs.models import Asset, Attempt, Feedback
from runs.states import AttemptStatus
from runs.transitions import moving
from zaps.planned import PlannedStep


def judge_attempt(attempt: Attempt, token: UUID) -> None:
    """Judge whatever nobody has judged yet. A judge that cannot be asked is asked again later, and then given up.

    Without a verdict nothing passes: the step waits for a person.
    """
    planned = PlannedStep.from_json(attempt.step.spec)
    beat = leases.Heartbeat(attempt, token, seconds=policy.work_lease_s())
    for asset in _unseen(attempt):
        try:
            verdicts = _judge(asset, planned, beat, mode=attempt.run.provider_mode)
        except JudgeError as exc:
            _give_up_or_again(attempt, token, exc)
            return
        with moving(attempt.run_id) as moves:
            leases.check(attempt, token)
            Feedback.objects.bulk_create(_row(asset, verdict, planned) for verdict in verdicts)
            one = combine(verdicts)
            moves.paid(attempt, one.usd, source=one.cost_source)
            moves.judged(asset.step, score=one.overall)
    with moving(attempt.run_id) as moves:
        paid = attempt.actual_usd or Decimal(0)
        moves.done(attempt, token, actual=paid, source=attempt.cost_source or "none", seed=None)
        advance(moves, attempt)


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


def _judge(asset: Asset, planned: PlannedStep, beat: leases.Heartbeat, *, mode: str) -> list[Verdict]:
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
            beat=beat,
        )
        return _ask_all(sample, mode=mode, threshold=planned.judge.threshold if planned.judge else None)


def _ask_all(sample: Sample, *, mode: str, threshold: Decimal | None) -> list[Verdict]:
    """One after the other; what one has seen to be bad is shown to nobody else, since some cost money.

    Raises JudgeError, with what all of them have cost.
    """
    verdicts: list[Verdict] = []
    for judge in judges_for(mode, sample.kind):
        try:
            verdicts.append(judge.judge(sample))
        except JudgeError as exc:
            exc.usd += sum((verdict.usd for verdict in verdicts), Decimal(0))
            raise
        if threshold is not None and verdicts[-1].overall < threshold:
            break
    if not verdicts:
        raise JudgeRefused(f"There is no judge for a {sample.kind}.")
    return verdicts


def _give_up_or_again(attempt: Attempt, token: UUID, exc: JudgeError) -> None:
    """What asking cost is booked either way."""
    with moving(attempt.run_id) as moves:
        leases.check(attempt, token)
        moves.paid(attempt, exc.usd, source=exc.cost_source)
        if exc.retryable and attempt.tries < policy.JUDGE_TRIES:
            wait_s = policy.backoff_s(attempt.tries, exc.retry_after_s)
            leases.release(attempt, token, again_in_s=wait_s, error=exc.code)
            return
        paid = attempt.actual_usd or Decimal(0)
        moves.failed(attempt, token, code=exc.code, actual=paid, source=attempt.cost_source or "none")
        advance(moves, attempt)


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
