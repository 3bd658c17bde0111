"""What a waiting step asks of a person, and what a person can do about a run: told from rows that were read already.

`runs.control` decides; this only says beforehand what it will not refuse, so that nobody has to offer a dead button.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from runs.faults import explain
from runs.models import Asset, Attempt, Feedback, Run, Step
from runs.states import RUN_FINAL, AttemptStatus, RunStatus, StepStatus, WaitReason

_MESSAGES = {
    WaitReason.APPROVAL: "A person must look at what was made, and approve it.",
    WaitReason.BUDGET: "What is left of the cap does not pay for it.",
}


@dataclass(frozen=True, slots=True)
class Made:
    """What the steps of one run made, and what judges think of it."""

    attempts: Mapping[int, list[Attempt]]  # by step
    assets: Mapping[int, list[Asset]]  # by attempt
    scores: Mapping[int, float | None]  # by attempt, 0 to 1; None: a judge looked and had no opinion

    @classmethod
    def of(cls, attempts: Iterable[Attempt], assets: Iterable[Asset], feedback: Iterable[Feedback]) -> "Made":
        """Sorted out. Of several judges' opinions of one attempt the worst counts, and none is worse than any."""
        tries: dict[int, list[Attempt]] = {}
        files: dict[int, list[Asset]] = {}
        makers: dict[int, int] = {}
        opinions: dict[int, list[float | None]] = {}
        for attempt in attempts:
            tries.setdefault(attempt.step_id, []).append(attempt)
        for asset in assets:
            files.setdefault(asset.attempt_id, []).append(asset)
            makers[asset.pk] = asset.attempt_id
        for said in feedback:
            if said.kind == "judge_score" and said.asset_id in makers:
                opinions.setdefault(makers[said.asset_id], []).append(said.scores.get("overall"))
        return cls(tries, files, {maker: _worst(given) for maker, given in opinions.items()})

    def choices(self, step: Step) -> list[tuple[Asset, Attempt, float | None]]:
        """The results of the step's round that can be approved: what approval takes by itself, then by score."""
        made = [
            (self.assets[attempt.pk][0], attempt, self.scores.get(attempt.pk))
            for attempt in self.attempts.get(step.pk, ())
            if attempt.round == step.round
            and attempt.role == "make"
            and attempt.status == AttemptStatus.DONE
            and attempt.pk in self.assets
        ]
        return sorted(
            made, key=lambda one: (one[1].pk == step.chosen_id, -1 if one[2] is None else one[2]), reverse=True
        )


def _worst(opinions: Iterable[float | None]) -> float | None:
    known = []
    for opinion in opinions:
        if opinion is None:
            return None
        known.append(opinion)
    return min(known)


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
    is_waiting = step.status == StepStatus.WAITING
    if is_waiting and step.wait_reason == WaitReason.APPROVAL and made.choices(step):
        can.append("approve")
    if is_waiting or (step.status == StepStatus.FAILED and run.status != RunStatus.RUNNING):
        can.append("retry")
    if is_waiting:
        can.append("reject")
    at_work = run.status in {RunStatus.QUEUED, RunStatus.RUNNING}
    if not at_work and step.status in {StepStatus.DONE, StepStatus.FAILED, StepStatus.CANCELED}:
        can.append("rerun-from")
    return can


def waits(step: Step, made: Made) -> dict[str, Any] | None:
    """The JSON of a Waits; None for a step that asks nobody."""
    if step.status != StepStatus.WAITING:
        return None
    return {
        "reason": step.wait_reason,
        "message": _message(step),
        "since": _since(step, made),
        "until": step.due_at,
        "onTimeout": _on_timeout(step),
        "choices": [
            {"assetId": asset.asset_id, "attempt": attempt.number, "score": score}
            for asset, attempt, score in made.choices(step)
        ],
    }


def _on_timeout(step: Step) -> str | None:
    """What it does at `due_at`. What no judge let pass is never approved by a clock."""
    if step.due_at is None:
        return None
    if step.wait_reason == WaitReason.BUDGET:
        return "retry"
    is_approved = (step.spec.get("gate") or {}).get("on_timeout") == "approve" and step.chosen_id and not step.error
    return "approve" if is_approved else "reject"


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
