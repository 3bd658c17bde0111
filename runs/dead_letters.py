"""What failed for good, and making it go on: each run for itself, so that one refusal stops no other."""

from collections.abc import Iterable
from dataclasses import dataclass

from core.errors import NotFound, ZapsError
from runs.control import retry_run
from runs.models import DeadLetter

MAX_AT_ONCE = 100
BULKY = ("spec", "run__source", "run__prompts", "run__inputs")  # what no list shows


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one run. `refused` is None where it goes on with those steps."""

    run_id: str
    step_ids: tuple[str, ...]
    refused: ZapsError | None = None


def redrive(run_ids: Iterable[str], *, actor: str, comment: str = "") -> list[Outcome]:
    """Make everything that failed in these runs again, in a new round, within each run's cap.

    The unit is the run: one failed step that stays keeps all the others from being of use.
    """
    failed: dict[str, list[str]] = {run_id: [] for run_id in run_ids}
    letters = DeadLetter.objects.filter(run__run_id__in=list(failed)).order_by("position")
    for run_id, step_id in letters.values_list("run__run_id", "step_id"):
        failed[run_id].append(step_id)
    return [_redrive(run_id, tuple(step_ids), actor, comment) for run_id, step_ids in failed.items()]


def spends_money(run_ids: Iterable[str]) -> bool:
    """Whether one of these would be made again at a provider that charges for it."""
    return DeadLetter.objects.filter(run__run_id__in=list(run_ids), run__provider_mode="live").exists()


def _redrive(run_id: str, step_ids: tuple[str, ...], actor: str, comment: str) -> Outcome:
    refused: ZapsError | None = None
    try:
        if not step_ids:
            raise NotFound(f"Nothing in {run_id!r} failed for good.")
        retry_run(run_id, actor=actor, comment=comment)
    except ZapsError as exc:
        refused = exc
    return Outcome(run_id=run_id, step_ids=step_ids, refused=refused)
