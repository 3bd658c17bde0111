"""What a waiting step asks of a person, and what a person can do about a run: told from rows that were read already.

`runs.control` decides; this only says beforehand what it will not refuse, so that nobody has to offer a dead button.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from runs.faults import explain
from runs.models import Asset, Attempt, Feedback, Run, Step
from runs.states import RUN_FINAL, STEP_FINAL, AttemptStatus, RunStatus, StepStatus, WaitReason

_MESSAGES = {
    WaitReason.APPROVAL: "A person must look at what was made, and approve it.",
    WaitReason.BUDGET: "What is left of the cap does not pay for it.",
}


@dataclass(frozen=True, slots=True)
class Made:
    """What the steps of one run made, and what was said of it."""

    attempts: Mapping[int, list[Attempt]]  # by step
    assets: Mapping[int, list[Asset]]  # by attempt
    scores: Mapping[int, float] = field(default_factory=dict)  # by attempt, 0 to 1

    @classmethod
    def of(cls, attempts: Iterable[Attempt], assets: Iterable[Asset], feedback: Iterable[Feedback]) -> "Made":
        """Sorted out. Of several judges' scores of one attempt the lowest counts."""
        tries: dict[int, list[Attempt]] = {}
        files: dict[int, list[Asset]] = {}
        scores: dict[int, float] = {}
        for attempt in attempts:
            tries.setdefault(attempt.step_id, []).append(attempt)
        makers = {}
        for asset in assets:
            files.setdefault(asset.attempt_id, []).append(asset)
            makers[asset.pk] = asset.attempt_id
        for said in feedback:
            maker, score = makers.get(said.asset_id or 0), _overall(said)
            if maker is not None and score is not None:
                scores[maker] = min(score, scores.get(maker, score))
        return cls(tries, files, scores)

    def choices(self, step: Step) -> list[tuple[Asset, Attempt, float | None]]:
        """The results of the step's round that one can be picked of: the best score first, then the oldest."""
        made = [
            (self.assets[attempt.pk][0], attempt, self.scores.get(attempt.pk))
            for attempt in self.attempts.get(step.pk, ())
            if attempt.round == step.round
            and attempt.role == "make"
            and attempt.status == AttemptStatus.DONE
            and attempt.pk in self.assets
        ]
        return sorted(made, key=lambda choice: -1.0 if choice[2] is None else choice[2], reverse=True)


def _overall(said: Feedback) -> float | None:
    score = said.scores.get("overall") if said.kind == "judge_score" and isinstance(said.scores, dict) else None
    return float(score) if isinstance(score, int | float) else None


def run_can(run: Run) -> list[str]:
    """What the run itself will not refuse now: some of cancel, resume, fork."""
    can = []
    if run.status not in RUN_FINAL:
        can.append("cancel")
    waits_for_money = run.status == RunStatus.WAITING and run.wait_reason == WaitReason.BUDGET
    if run.status in {RunStatus.FAILED, RunStatus.CANCELED} or waits_for_money:
        can.append("resume")
    return [*can, "fork"]


def step_can(run: Run, step: Step, made: Made) -> list[str]:
    """What the step will not refuse now: some of approve, retry, reject, rerun-from."""
    can = []
    is_asking = step.status == StepStatus.WAITING and step.wait_reason != WaitReason.BUDGET
    if is_asking and made.choices(step):
        can.append("approve")
    if is_asking or step.status == StepStatus.FAILED:
        can.append("retry")
    if is_asking:
        can.append("reject")
    at_work = run.status in {RunStatus.QUEUED, RunStatus.RUNNING}
    if not at_work and step.status in STEP_FINAL - {StepStatus.SKIPPED}:
        can.append("rerun-from")
    return can


def waits(step: Step, made: Made) -> dict[str, Any] | None:
    """The JSON of a Waits; None for a step that asks nobody."""
    if step.status != StepStatus.WAITING:
        return None
    gate = step.spec.get("gate") or {}
    return {
        "reason": step.wait_reason,
        "message": _message(step),
        "since": _since(step, made),
        "until": step.due_at,
        "onTimeout": gate.get("on_timeout") if step.due_at is not None else None,
        "choices": [
            {"assetId": asset.asset_id, "attempt": attempt.number, "score": score}
            for asset, attempt, score in made.choices(step)
        ],
    }


def _message(step: Step) -> str:
    known = _MESSAGES.get(WaitReason(step.wait_reason)) if step.wait_reason else None
    return explain(step.error).message if step.error or known is None else known


def _since(step: Step, made: Made) -> Any:
    """When its newest attempt ended, or else was sent; None before there is one."""
    moments = [
        attempt.finished_at or attempt.submitted_at
        for attempt in made.attempts.get(step.pk, ())
        if attempt.round == step.round
    ]
    return max((moment for moment in moments if moment is not None), default=None)
