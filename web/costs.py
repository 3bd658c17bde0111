"""What a person's hand on a run would hold of their money, told before they press.

The engine holds a reopened step's first tries anew (`reopen_steps`). What turns out to be the same is taken over for
nothing, so that it is the most that can be held, and often less.
"""

from collections.abc import Mapping, Sequence
from typing import Any

Step = Mapping[str, Any]
_STOPPED = ("failed", "skipped", "canceled")


def to_resume(steps: Sequence[Step]) -> float:
    """Going on with what stopped or waits for money, in USD."""
    waits = {step["stepId"] for step in steps if step["status"] == "waiting" and step["waitReason"] == "budget"}
    return _held(steps, waits | _stopped(steps))


def to_retry(steps: Sequence[Step], step: Step) -> float:
    """A new round of that step; where it had failed, what stopped because of it too."""
    return _held(steps, {step["stepId"]} | (_stopped(steps) if step["status"] == "failed" else set()))


def to_rerun(steps: Sequence[Step], step: Step) -> float:
    """That step, whatever follows from it, and what had stopped."""
    wanted = {step["stepId"]}
    for one in steps:  # in recipe order: parents first
        if wanted & set(one["parents"]):
            wanted.add(one["stepId"])
    return _held(steps, wanted | _stopped(steps))


def _stopped(steps: Sequence[Step]) -> set[str]:
    return {step["stepId"] for step in steps if step["status"] in _STOPPED}


def _held(steps: Sequence[Step], wanted: set[str]) -> float:
    """A step that is queued holds its money already."""
    paid = [step for step in steps if step["stepId"] in wanted and step["status"] != "queued"]
    return float(sum(step["priceQuoteUsd"] for step in paid))
