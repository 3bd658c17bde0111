"""What is next for a run: begin every step whose parents are done, or close the run when nothing is left."""

from collections.abc import Iterable

from django.utils import timezone

from runs import dispatch, policy
from runs.decide import StepView, decide
from runs.models import Asset, Step
from runs.states import ATTEMPT_FINAL, RUN_FINAL, RunStatus, Stage, StepStatus, WaitReason
from runs.transitions import Moves, moving
from zaps.planned import LOCAL


def advance_run(run_pk: int) -> None:
    """Take the run one turn further. Does nothing to a run that has ended."""
    with moving(run_pk) as moves:
        advance(moves)


def advance(moves: Moves) -> None:
    """The same inside a transaction that already holds the run."""
    run = moves.run
    if run.status in RUN_FINAL:
        return
    steps = {step.step_id: step for step in Step.objects.filter(run=run)}
    _fail_overdue(moves, steps.values())
    decision = decide([StepView(step_id=s.step_id, status=s.status, parents=tuple(s.parents)) for s in steps.values()])
    if run.status == RunStatus.QUEUED:
        moves.start_run()
    elif run.status == RunStatus.WAITING and decision.outcome != RunStatus.WAITING:
        moves.resume_run()
    for step_id in decision.skip:
        moves.skip_step(steps[step_id])
    for step_id in decision.start:
        dispatch.begin_soon(moves.start_step(steps[step_id]))
    _close_or_wait(moves, list(steps.values()), decision.outcome)


def _close_or_wait(moves: Moves, steps: list[Step], outcome: RunStatus) -> None:
    if outcome == RunStatus.DONE:
        moves.finish_run(zap_url=_film_url(steps))
    elif outcome == RunStatus.FAILED:
        moves.fail_run(next(step.error for step in steps if step.status == StepStatus.FAILED))
    elif outcome == RunStatus.RUNNING:
        busy = [step for step in steps if step.status == StepStatus.RUNNING]
        local = all(step.provider == LOCAL for step in busy)
        moves.check_run_in(policy.RUN_CHECK_S, stage=Stage.ASSEMBLING if local else Stage.GENERATING)
    elif moves.run.status != RunStatus.WAITING:
        reason = next(step.wait_reason for step in steps if step.status == StepStatus.WAITING)
        moves.hold_run(WaitReason(reason or WaitReason.APPROVAL))


def _fail_overdue(moves: Moves, steps: Iterable[Step]) -> None:
    """A running step whose attempts have all ended would wait for ever; its own due time brings us here."""
    now = timezone.now()
    for step in steps:
        overdue = step.status == StepStatus.RUNNING and step.due_at is not None and step.due_at < now
        if overdue and not step.attempts.exclude(status__in=ATTEMPT_FINAL).exists():
            moves.fail_step(step, "POLL_DEADLINE_EXCEEDED")


def _film_url(steps: list[Step]) -> str:
    """The address of what the run was for: the last clip that was made, else the last asset."""
    assets = list(Asset.objects.filter(run_id=steps[0].run_id).order_by("step__position", "index"))
    clips = [asset for asset in assets if asset.kind == "mp4"] or assets
    return clips[-1].url if clips else ""
