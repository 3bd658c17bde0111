"""What flows are told of a run that has ended: what anybody may know who knows that it exists.

Neither what it was given nor what was written of it is said. Who wants that asks for it, with a key that may see it.
"""

from typing import Any

from core.api.links import public_url
from flows.event import iso
from runs.models import Asset, Run

SOURCE = "zaps"
#: The run's own word for what happened to it, and flows' type of it.
TYPES = {"finished": "zap.run.done", "failed": "zap.run.failed", "canceled": "zap.run.canceled"}


def event_of(run: Run, film: Asset | None, *, type: str, seq: int) -> dict[str, Any]:
    """The event; the same end always has the same id, which is that of its webhook, too."""
    return {
        "id": f"evt_{run.run_id.removeprefix('run_')}_{seq}",
        "type": type,
        "source": SOURCE,
        "occurredAt": iso(run.finished_at) if run.finished_at is not None else None,
        "payload": {
            "runId": run.run_id,
            "revision": seq,
            "zapSlug": run.zap_slug,
            "zapVersion": run.zap_version,
            "providerMode": run.provider_mode,
            "status": run.status,
            "error": run.error or None,
            "spentUsd": f"{run.cost_usd:f}",
            "film": {"assetId": film.asset_id, "url": public_url(film.url)} if film is not None else None,
            "statusUrl": public_url(f"/api/runs/{run.run_id}"),
            "pageUrl": public_url(f"/runs/{run.run_id}"),
        },
    }
