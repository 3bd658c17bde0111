"""What should happen next in a run: pure, from the states of its steps."""

from collections.abc import Sequence
from dataclasses import dataclass

from runs.states import RunStatus, StepStatus

_SATISFIED = {StepStatus.DONE, StepStatus.SKIPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """What deciding needs to know of a step."""

    step_id: str
    status: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What should happen now. `outcome` is the status that the run should have afterwards."""

    start: tuple[str, ...]
    skip: tuple[str, ...]
    outcome: RunStatus


def decide(steps: Sequence[StepView]) -> Decision:
    """Pure: the steps to begin, the ones to give up, and what becomes of the run.

    After a failure nothing new is begun, since the film cannot be finished; what is at work may end, because it
    is paid for.
    """
    status = {step.step_id: step.status for step in steps}
    failed = StepStatus.FAILED in status.values()
    queued = [step for step in steps if step.status == StepStatus.QUEUED]
    start = () if failed else tuple(s.step_id for s in queued if all(status[p] in _SATISFIED for p in s.parents))
    skip = tuple(s.step_id for s in queued) if failed else ()
    if start or StepStatus.RUNNING in status.values():
        outcome = RunStatus.RUNNING
    elif StepStatus.WAITING in status.values():
        outcome = RunStatus.WAITING
    else:
        outcome = RunStatus.FAILED if failed else RunStatus.DONE
    return Decision(start=start, skip=skip, outcome=outcome)
