"""What every control begins with: the run, locked, and the step that is meant."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import BadInput, Conflict, NotFound, Problem
from runs.models import Asset, Run, Step
from runs.queries import require_there
from runs.transitions import Moves, moving

COMMENT_AT_MOST = 2_000  # characters


class RunStateForbids(Conflict):
    """The run is not in a state for this."""

    code = "RUN_STATE_FORBIDS"
    title = "The run's state forbids this."
    remediation = "Read the run again: `can` of the run and of its steps says what may be done now."


class StepStateForbids(Conflict):
    """The step is not in a state for this."""

    code = "STEP_STATE_FORBIDS"
    title = "The step's state forbids this."
    remediation = "Read the run again: `can` of the run and of its steps says what may be done now."


@contextmanager
def taking(run_id: str, *, actor: str) -> Iterator[Moves]:
    """The run of that public id, locked. Raises NotFound, and RunDeleted."""
    with taking_even_deleted(run_id, actor=actor) as moves:
        require_there(moves.run)
        yield moves


@contextmanager
def taking_even_deleted(run_id: str, *, actor: str) -> Iterator[Moves]:
    """The same for what concerns money alone, which outlives the run. Raises NotFound."""
    run = Run.objects.filter(run_id=run_id).only("pk").first()
    if run is None:
        raise NotFound(f"There is no run {run_id}.")
    with moving(run.pk, actor=actor) as moves:
        yield moves


def forbid_run(moves: Moves, sentence: str, **extra: Any) -> RunStateForbids:
    """The error that names the run's state."""
    return RunStateForbids(sentence, runStatus=moves.run.status, **extra)


def steps_of(moves: Moves) -> dict[str, Step]:
    """The run's steps in recipe order, by id."""
    return {step.step_id: step for step in Step.objects.filter(run=moves.run).order_by("position")}


def named(steps: dict[str, Step], step_id: str) -> Step:
    """Raises BadInput where the run has no such step."""
    if step_id not in steps:
        message = f"The run has no step {step_id!r}."
        raise BadInput(message, problems=[Problem(code="STEP_UNKNOWN", message=message, path="stepId")])
    return steps[step_id]


def asset_of(step: Step | None, asset_id: str, moves: Moves) -> Asset:
    """An asset of the run and, where one is meant, of the step. Raises BadInput."""
    asset = Asset.objects.select_related("step", "attempt").filter(run=moves.run, asset_id=asset_id).first()
    if asset is None or (step is not None and asset.step_id != step.pk):
        where = "The run" if step is None else f"The step {step.step_id}"
        message = f"{where} has no asset {asset_id!r}."
        raise BadInput(message, problems=[Problem(code="ASSET_UNKNOWN", message=message, path="assetId")])
    return asset
