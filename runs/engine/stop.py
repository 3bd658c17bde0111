"""Nobody wants an attempt any more: what was not sent ends, what is at a provider is told to stop."""

from core.money import ZERO
from runs import dispatch
from runs.models import Attempt, Step
from runs.states import ATTEMPT_FINAL, AttemptStatus
from runs.transitions import Moves
from zaps.planned import LOCAL


def stop_attempts(moves: Moves, step: Step) -> None:
    """Stop whatever of the step is still open; its results will not be taken."""
    for attempt in Attempt.objects.filter(step=step).exclude(status__in=ATTEMPT_FINAL).order_by("pk"):
        attempt.step = step
        stop_attempt(moves, attempt)


def stop_attempt(moves: Moves, attempt: Attempt) -> None:
    """What it may have cost stays held until the provider has said."""
    if attempt.status == AttemptStatus.PLANNED or attempt.provider == LOCAL:
        moves.look_lost(attempt)
        moves.canceled(attempt, actual=attempt.actual_usd or ZERO, source=attempt.cost_source or "none")
    elif attempt.status != AttemptStatus.CANCELING:
        moves.canceling(attempt)
        dispatch.settle_soon(attempt)
