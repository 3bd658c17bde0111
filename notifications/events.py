"""What the world is told of: five events in the life of a run."""

from typing import Any

from core.api.links import public_url
from runs.heralds import CALLBACK_EVENTS

EVENTS = CALLBACK_EVENTS
MAILED = ("run.waiting", "run.done", "run.failed")
TEST, TURNED_OFF = "webhook.test", "webhook.disabled"
#: The run's own word: ours, and what its status then is.
OF_MOVES = {
    "started": ("run.started", "running"),
    "held": ("run.waiting", "waiting"),
    "finished": ("run.done", "done"),
    "failed": ("run.failed", "failed"),
    "canceled": ("run.canceled", "canceled"),
}


def data_of(kept: dict[str, Any]) -> dict[str, Any]:
    """What a message says of a run: what was kept of it, with the addresses where it is read and seen."""
    run_id = kept.get("runId")
    if run_id is None:
        return kept
    film = kept.get("zapUrl")
    return {
        **kept,
        "zapUrl": public_url(film) if film else None,
        "statusUrl": public_url(f"/api/runs/{run_id}"),
        "pageUrl": public_url(f"/runs/{run_id}"),
    }
