"""Have something of a run made again. The run stays the same one: old attempts stay as they ended, new ones follow."""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from accounts.vault.credentials import require
from core.again import again
from core.errors import BadInput, Problem
from runs.control.feedback import vote
from runs.control.taking import StepStateForbids, forbid_run, named, steps_of, taking
from runs.engine.advance import advance
from runs.engine.stop import stop_attempts
from runs.models import Attempt, Step
from runs.states import RUN_FINAL, RunStatus, StepStatus, WaitReason
from runs.transitions import Moves
from zaps.planned import PlannedStep, providers_of

_STOPPED = frozenset({StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.CANCELED})


@again
def retry_run(
    run_id: str, *, actor: str, step_id: str | None = None, comment: str = "", max_usd: Decimal | None = None
) -> None:
    """Make a waiting or failed step again, in a new round; without a step: all that wait and all that failed.

    `max_usd` lets the run cost more than before. Raises NotFound, BadInput for a step that is not there, Conflict where
    nothing waits or failed, and OverBudget where there is no money for it.
    """
    with taking(run_id, actor=actor) as moves:
        steps = steps_of(moves)
        wanted = _to_retry(moves, steps, step_id)
        for step in wanted:
            if step.status == StepStatus.WAITING and step.chosen_id:
                vote(moves, step, Attempt.objects.filter(pk=step.chosen_id).first(), up=False, comment=comment)
            elif comment:
                vote(moves, step, None, up=False, comment=comment)
        again = {step.step_id for step in wanted}
        failed = any(step.status == StepStatus.FAILED for step in wanted)
        after = {s.step_id for s in steps.values() if s.status in _STOPPED} if failed else set()
        _reopen(moves, steps, again | after, forget=again, max_usd=max_usd, reason="retry")


@again
def resume_run(run_id: str, *, actor: str, max_usd: Decimal | None = None) -> None:
    """Let a run go on that failed, was canceled, or waits for money. What is finished stays; a running one goes on.

    Raises NotFound, Conflict where it is done or waits for somebody's decision, and OverBudget.
    """
    with taking(run_id, actor=actor) as moves:
        if moves.run.status == RunStatus.DONE:
            raise forbid_run(moves, "The run is done; there is nothing to resume.")
        steps = steps_of(moves)
        goes_on = moves.run.status in {RunStatus.QUEUED, RunStatus.RUNNING}
        stopped = set() if goes_on else _STOPPED
        wanted = {step.step_id for step in steps.values() if step.status in stopped or _waits_for_money(step)}
        if not wanted and not goes_on:
            raise forbid_run(moves, "The run waits for a decision: approve, retry or reject.")
        _reopen(moves, steps, wanted, forget=set(), max_usd=max_usd, reason="resume")


@again
def rerun_from(run_id: str, step_id: str, *, actor: str, comment: str = "", max_usd: Decimal | None = None) -> None:
    """Make that step again, and whatever follows from it as far as what goes into it has changed.

    Everything else that is finished stays. Raises NotFound, BadInput for a step that is not there, Conflict while the
    run is at work, and OverBudget.
    """
    with taking(run_id, actor=actor) as moves:
        steps = steps_of(moves)
        step = named(steps, step_id)
        if moves.run.status not in {*RUN_FINAL, RunStatus.WAITING}:
            raise forbid_run(moves, f"The run is {moves.run.status}; wait until it has ended, or cancel it.")
        if _is_never_made(step):
            raise StepStateForbids("The recipe does not want this step with these inputs.", stepStatus=step.status)
        if step.chosen_id or comment:
            vote(moves, step, Attempt.objects.filter(pk=step.chosen_id or 0).first(), up=False, comment=comment)
        stopped = {s.step_id for s in steps.values() if s.status in _STOPPED}
        wanted = {step_id} | _after(steps, step_id) | stopped
        _reopen(moves, steps, wanted, forget={step_id}, max_usd=max_usd, reason=f"rerun-from {step_id}"[:64])


def _reopen(
    moves: Moves, steps: Mapping[str, Step], wanted: Iterable[str], *, forget: set[str], max_usd: Decimal | None,
    reason: str,
) -> None:  # fmt: skip
    """What is still at a provider is told to stop, money is held anew, and the run goes on."""
    if max_usd is not None:
        _raise_cap(moves, max_usd)
    chosen = [steps[name] for name in steps if name in set(wanted) and not _is_never_made(steps[name])]
    closed = [step for step in chosen if step.status != StepStatus.QUEUED]
    if moves.run.provider_mode == "live":
        makers = providers_of(PlannedStep.from_json(step.spec) for step in closed)
        require(makers, owner_id=moves.run.owner_id, request_ref=moves.run.run_id)
    for step in closed:
        stop_attempts(moves, step)
    if moves.run.status not in {RunStatus.QUEUED, RunStatus.RUNNING}:
        moves.reopen_run(reason)
    moves.reopen_steps([(step, PlannedStep.from_json(step.spec)) for step in closed], forget=frozenset(forget))
    advance(moves)


def _raise_cap(moves: Moves, max_usd: Decimal) -> None:
    if max_usd < moves.run.cap_usd:
        message = f"The run may cost {moves.run.cap_usd.normalize():f} USD already; maxUsd can only be more."
        raise BadInput(message, problems=[Problem(code="PARAMETER_INVALID", message=message, path="maxUsd")])
    moves.purse.raise_cap(max_usd)


def _to_retry(moves: Moves, steps: dict[str, Step], step_id: str | None) -> list[Step]:
    failed = [step for step in steps.values() if step.status == StepStatus.FAILED]
    if step_id is not None:
        step = named(steps, step_id)
        others = [one.step_id for one in failed if one is not step]
        if others and step.status in {StepStatus.WAITING, StepStatus.FAILED}:
            raise StepStateForbids(
                f"More has failed: {', '.join(others)}. Try the run again without naming a step.",
                stepStatus=step.status,
                failed=others,
            )
        if step.status == StepStatus.WAITING or (step.status == StepStatus.FAILED and moves.run.status != "running"):
            return [step]
        raise StepStateForbids(
            f"The step is {step.status} in a run that is {moves.run.status}; only what waits or failed is tried again.",
            stepStatus=step.status,
            runStatus=moves.run.status,
        )
    waiting = [step for step in steps.values() if step.status == StepStatus.WAITING]
    if not waiting and (not failed or moves.run.status == RunStatus.RUNNING):
        raise forbid_run(moves, f"The run is {moves.run.status}, and nothing in it waits or failed.")
    return waiting + failed


def _after(steps: Mapping[str, Step], step_id: str) -> set[str]:
    """Everything that has it as a parent, however far."""
    found: set[str] = set()
    for step in steps.values():  # recipe order: parents first
        if {step_id, *found} & set(step.parents):
            found.add(step.step_id)
    return found


def _waits_for_money(step: Step) -> bool:
    return step.status == StepStatus.WAITING and step.wait_reason == WaitReason.BUDGET


def _is_never_made(step: Step) -> bool:
    return bool(step.spec["skipped"])
