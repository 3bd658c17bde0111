"""What is next for a run: begin every step whose parents are done, or close the run when nothing is left."""

from core.again import again
from runs import dispatch, policy
from runs.decide import Decision, StepView, decide
from runs.engine import reads
from runs.engine.content import content_key, kept, made_before, may_be_made
from runs.engine.outcome import look_after, mind_the_time
from runs.models import Attempt, Run, Step
from runs.states import RUN_FINAL, RunStatus, Stage, StepStatus, WaitReason
from runs.transitions import Moves, moving
from zaps.planned import LOCAL, PlannedStep


@again
def advance_run(run_pk: int) -> None:
    """Take the run one turn further. Does nothing to a run that has ended."""
    with moving(run_pk) as moves:
        advance(moves)


def advance(moves: Moves, ended: Attempt | None = None) -> None:
    """The same inside a transaction that already holds the run. `ended`: an attempt that just did."""
    run = moves.run
    if run.status in RUN_FINAL:
        return
    steps = reads.steps_of(run)
    if run.status == RunStatus.QUEUED:
        moves.start_run()
    _look_after(moves, steps, ended)
    decision = _begin(moves, steps)
    if run.status == RunStatus.WAITING and decision.outcome != RunStatus.WAITING:
        moves.resume_run()
    _close_or_wait(moves, list(steps.values()), decision.outcome)


def _look_after(moves: Moves, steps: dict[str, Step], ended: Attempt | None) -> None:
    if ended is not None:
        step = steps[ended.step.step_id]
        if step.status == StepStatus.RUNNING and step.round == ended.round:
            look_after(moves, step, ended)
    for step in steps.values():
        mind_the_time(moves, step)


def _begin(moves: Moves, steps: dict[str, Step]) -> Decision:
    """Begin whatever can begin; what is finished at once lets others begin."""
    while True:
        decision = decide(
            [StepView(step_id=s.step_id, status=s.status, parents=tuple(s.parents)) for s in steps.values()]
        )
        for step_id in decision.skip:
            moves.skip_step(steps[step_id], "UPSTREAM_FAILED")
        at_work = [_begin_step(moves, steps[step_id]) for step_id in decision.start]
        if all(at_work):
            return decision


def _begin_step(moves: Moves, step: Step) -> bool:
    """Is it at work now? Else it is finished, since its result was there already, or it waits for money."""
    planned = PlannedStep.from_json(step.spec)
    key = content_key(step, planned)
    if may_be_made(moves.run, step, planned):
        source = made_before(moves.run, step, planned, key)
        if source is not None:
            moves.reuse_step(step, source)
            return False
    if planned.first_usd and moves.purse.is_overdrawn:
        moves.hold_step(step, WaitReason.BUDGET, error="BUDGET_EXCEEDED")
        return False
    attempts = moves.start_step(step, planned, content_key=key, kept=kept(step, key))
    for attempt in attempts:
        dispatch.begin_soon(attempt)
    if not attempts:
        look_after(moves, step)
    return step.status == StepStatus.RUNNING


def _close_or_wait(moves: Moves, steps: list[Step], outcome: RunStatus) -> None:
    if outcome == RunStatus.DONE:
        moves.finish_run(zap_url=_film_url(moves.run, steps))
    elif outcome == RunStatus.FAILED:
        moves.fail_run(next(step.error for step in steps if step.status == StepStatus.FAILED))
    elif outcome == RunStatus.RUNNING:
        busy = [step for step in steps if step.status == StepStatus.RUNNING]
        local = all(step.provider == LOCAL for step in busy)
        waits = any(step.status == StepStatus.WAITING for step in steps)
        moves.check_run_in(
            policy.RUN_CHECK_S, stage=Stage.ASSEMBLING if local else Stage.GENERATING, or_when_a_step_is_due=waits
        )
    else:
        waiting = next(step for step in steps if step.status == StepStatus.WAITING)
        moves.keep_waiting(WaitReason(waiting.wait_reason or WaitReason.APPROVAL))


def _film_url(run: Run, steps: list[Step]) -> str:
    """The address of what the run was for: the last clip that was made, else the last asset."""
    made = reads.results_of(run.pk, [step.step_id for step in steps])
    assets = [asset for results in made.values() for asset in results]
    clips = [asset for asset in assets if asset.kind == "mp4"] or assets
    return clips[-1].url if clips else ""
