"""What a person reads where the interface says a code."""

from collections.abc import Mapping
from typing import Any

WAITS = {
    "dependency": "waits for an earlier step",
    "provider_queue": "waits in the provider's queue",
    "provider_limit": "waits: as many jobs are in flight as the account allows",
    "provider_paused": "waits: an operator paused the provider, or it failed too often lately",
    "rate_limit": "waits: the provider asked us to slow down",
    "budget": "waits for money",
    "approval": "waits for a person to approve",
    "backoff": "failed in a way that may pass; tries again soon",
    "submission_unknown": "waits: it is not known whether the provider took the job, so it is not sent again",
}


def why(row: Mapping[str, Any]) -> str:
    """Why a run or a step stands as it does; "" when there is nothing to explain."""
    if row.get("error"):
        detail = row.get("errorDetail") or {}
        return f"{row['error']}: {detail.get('message', '')}".rstrip(": ")
    reason = row.get("waitReason")
    if not reason:
        return ""
    waits = WAITS.get(reason, reason)
    if reason == "dependency" and "parents" in row:
        return f"waits for {', '.join(row['parents'])}" if row["parents"] else "waits for a worker"
    place = next((one["queuePosition"] for one in reversed(row.get("attempts", ())) if one.get("queuePosition")), None)
    return f"{waits}, place {place}" if place else waits
