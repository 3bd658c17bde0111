"""Stop a run: nothing new begins, and what a provider is busy with is told to stop and billed truthfully."""

from core.again import again
from runs.control.taking import forbid_run, taking
from runs.engine.stop import stop_attempt
from runs.models import Attempt, Step
from runs.states import ATTEMPT_FINAL, RUN_FINAL, STEP_FINAL, RunStatus


@again
def cancel_run(run_id: str, *, actor: str) -> None:
    """Cancel it; one that is canceled already stays so. Raises NotFound, or Conflict when it has otherwise ended."""
    with taking(run_id, actor=actor) as moves:
        if moves.run.status == RunStatus.CANCELED:
            return
        if moves.run.status in RUN_FINAL:
            raise forbid_run(moves, f"The run is {moves.run.status} already.")
        for step in Step.objects.filter(run=moves.run).exclude(status__in=STEP_FINAL).order_by("pk"):
            moves.cancel_step(step)
        live = Attempt.objects.filter(run=moves.run).exclude(status__in=ATTEMPT_FINAL)
        for attempt in live.select_related("step").order_by("pk"):
            stop_attempt(moves, attempt)
        moves.cancel_run()
