"""Stop a run: nothing new begins, and what a provider is busy with is told to stop and billed truthfully."""

from core.errors import Conflict, NotFound
from runs.engine.stop import stop_attempt
from runs.models import Attempt, Run, Step
from runs.states import ATTEMPT_FINAL, RUN_FINAL, STEP_FINAL
from runs.transitions import moving


def cancel_run(run_id: str, *, actor: str) -> None:
    """Cancel it. Raises NotFound, or Conflict when it has already ended."""
    run = Run.objects.filter(run_id=run_id).only("pk").first()
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    with moving(run.pk, actor=actor) as moves:
        if moves.run.status in RUN_FINAL:
            raise Conflict(f"The run is {moves.run.status} already.", runStatus=moves.run.status)
        for step in Step.objects.filter(run=run).exclude(status__in=STEP_FINAL).order_by("pk"):
            moves.cancel_step(step)
        live = Attempt.objects.filter(run=run).exclude(status__in=ATTEMPT_FINAL)
        for attempt in live.select_related("step").order_by("pk"):
            stop_attempt(moves, attempt)
        moves.cancel_run()
