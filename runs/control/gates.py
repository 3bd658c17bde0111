"""Decide for a step that waits for a person: take what it made, or refuse it."""

from core.again import again
from runs.control.feedback import vote
from runs.control.taking import StepStateForbids, asset_of, forbid_run, named, steps_of, taking
from runs.engine.advance import advance
from runs.engine.stop import stop_attempts
from runs.models import Attempt, RunEvent, Step
from runs.states import StepStatus, WaitReason
from runs.transitions import Moves


@again
def approve_run(
    run_id: str, *, actor: str, step_id: str | None = None, asset_id: str | None = None, comment: str = ""
) -> None:
    """Let a waiting step's result count: the asset that is named, else the best.

    The same approval twice is one. Raises NotFound, BadInput for a step or asset that is not there, and Conflict where
    no step waits for approval, several do and none is named, or it was decided otherwise.
    """
    with taking(run_id, actor=actor) as moves:
        steps = steps_of(moves)
        picked = asset_of(None, asset_id, moves) if asset_id else None
        if step_id is None and picked is not None:
            step_id = picked.step.step_id
        step = _meant(moves, steps, step_id, decided=("step.approved", StepStatus.DONE))
        if picked is not None:
            asset_of(step, picked.asset_id, moves)
        if step.status == StepStatus.DONE:
            if picked is None or picked.attempt_id == step.chosen_id:
                return
            raise StepStateForbids("Another candidate was approved already.", stepStatus=step.status)
        if step.wait_reason != WaitReason.APPROVAL:
            raise StepStateForbids(
                f"The step waits for {step.wait_reason}; there is nothing to approve.", stepStatus=step.status
            )
        chosen = picked.attempt if picked else Attempt.objects.filter(pk=step.chosen_id or 0).first()
        if chosen is None:
            raise StepStateForbids("The step has made nothing that could be approved.", stepStatus=step.status)
        vote(moves, step, chosen, up=True, comment=comment)
        stop_attempts(moves, step)
        moves.approve_step(step, chosen)
        advance(moves)


@again
def reject_run(run_id: str, *, actor: str, step_id: str | None = None, comment: str = "") -> None:
    """Refuse what a waiting step made, or give up waiting: the step fails. Rejecting twice is once.

    Raises as `approve_run`.
    """
    with taking(run_id, actor=actor) as moves:
        step = _meant(moves, steps_of(moves), step_id, decided=("step.failed", StepStatus.FAILED))
        if step.status == StepStatus.FAILED:
            if step.error == "REJECTED":
                return
            raise StepStateForbids("The step has failed already.", stepStatus=step.status)
        vote(moves, step, Attempt.objects.filter(pk=step.chosen_id or 0).first(), up=False, comment=comment)
        stop_attempts(moves, step)
        moves.fail_step(step, "REJECTED")
        advance(moves)


def _meant(moves: Moves, steps: dict[str, Step], step_id: str | None, *, decided: tuple[str, StepStatus]) -> Step:
    """The step that is named, or the only one that waits; where none does, the one that was just decided so."""
    event, done = decided
    if step_id is not None:
        step = named(steps, step_id)
        if step.status not in {StepStatus.WAITING, done}:
            raise StepStateForbids(f"The step is {step.status}; it waits for nobody.", stepStatus=step.status)
        return step
    waiting = [step for step in steps.values() if step.status == StepStatus.WAITING]
    if len(waiting) == 1:
        return waiting[0]
    if waiting:
        names = [step.step_id for step in waiting]
        raise StepStateForbids(f"Several steps wait; say which: {', '.join(names)}.", waiting=names)
    newest = (
        RunEvent.objects.filter(run=moves.run, type__in=["step.approved", "step.failed", "step.held"])
        .order_by("seq")
        .last()
    )
    if newest is not None and newest.type == event and steps[newest.subject].status == done:
        return steps[newest.subject]
    raise forbid_run(moves, f"The run is {moves.run.status}; no step waits for anybody.")
