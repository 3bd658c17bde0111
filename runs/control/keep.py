"""Spare a run from its owner's retention, or spare it no longer."""

from core.again import again
from runs.control.taking import taking


@again
def keep_run(run_id: str, *, keep: bool, actor: str) -> None:
    """Mark it, or take the mark away. Raises NotFound, and RunDeleted."""
    with taking(run_id, actor=actor) as moves:
        moves.keep_run(keep)
