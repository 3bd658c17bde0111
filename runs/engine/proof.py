"""Proof that a submission arrived whose answer was lost: its own late answer, the provider's webhook, or its word."""

from runs import dispatch
from runs.engine.advance import advance
from runs.engine.stop import stop_attempt
from runs.models import Attempt, Step
from runs.states import StepStatus, WaitReason
from runs.transitions import Moves


def acknowledge(moves: Moves, attempt: Attempt, *, request_id: str, urls: dict[str, str]) -> None:
    """There is a job, and its step goes on.

    Raises StaleState where the attempt is not, or no longer, a submission without an answer.
    """
    moves.accepted(attempt, request_id=request_id, urls=urls)
    step = Step.objects.get(pk=attempt.step_id)
    if step.status == StepStatus.RUNNING:
        moves.go_on(step)
    elif step.wait_reason == WaitReason.SUBMISSION_UNKNOWN:
        moves.resume_step(step)
    elif step.status == StepStatus.WAITING:  # a person looks at the others
        stop_attempt(moves, attempt)
    advance(moves)
    dispatch.poll_soon(attempt)
