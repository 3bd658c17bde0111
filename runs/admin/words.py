"""What an operator reads where the tables hold a code."""

from collections.abc import Collection

from runs.models import Run, Step
from runs.states import WaitReason

WAITS = {
    WaitReason.DEPENDENCY: "an earlier step is not done",
    WaitReason.PROVIDER_QUEUE: "the provider has not begun",
    WaitReason.PROVIDER_LIMIT: "as many jobs are in flight as the account allows",
    WaitReason.PROVIDER_PAUSED: "nothing is sent for a while: the model fails, or the account is refused or paused",
    WaitReason.RATE_LIMIT: "the provider asked us to slow down",
    WaitReason.BUDGET: "money is missing",
    WaitReason.APPROVAL: "a person must look",
    WaitReason.BACKOFF: "something failed that may pass; trying again later",
    WaitReason.SUBMISSION_UNKNOWN: "a paid request's fate is not known; it is not sent again",
}


def waits(row: Run | Step, *, done: Collection[str] = ()) -> str:
    """Why it does not move, in words; "" when nothing holds it. `done`: steps that need not be named any more."""
    if not row.wait_reason:
        return ""
    if row.wait_reason == WaitReason.DEPENDENCY and isinstance(row, Step) and row.parents:
        return f"{', '.join(name for name in row.parents if name not in done)} not done"
    return WAITS[WaitReason(row.wait_reason)]
