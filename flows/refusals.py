"""What a worker or a caller of flows can be told besides the general refusals."""

from core.errors import Conflict


class EventChanged(Conflict):
    """The event's id is known, and belongs to another event."""

    code = "EVENT_ID_REUSED"
    title = "Another event has this id."
    remediation = "Send what happened anew under a new id; to run the old event again, replay it."


class RunEnded(Conflict):
    """The run has ended otherwise, and stays so."""

    code = "RUN_ENDED"
    title = "The run has ended."
    remediation = "Replay the event, or redrive the run: that makes a new one."


class LeaseLost(Conflict):
    """The attempt is over or is held by somebody else; whatever its worker found is not taken."""

    code = "LEASE_LOST"
    title = "This lease is not held any more."
    remediation = "Stop the step and claim again."


class LeaseExpired(LeaseLost):
    """The lease ran out before its holder was heard again."""

    code = "LEASE_EXPIRED"
    title = "The lease has run out."
    remediation = "Stop the step, and heartbeat more often than the lease lasts."


class RunCanceled(LeaseLost):
    """Somebody stopped the run while the worker was at it."""

    code = "RUN_CANCELED"
    title = "The run was canceled."
    status = 410
    remediation = "Stop the step."


class OutputGap(Conflict):
    """Output has to follow what was stored without a gap. `expectedSeq` is the next."""

    code = "OUTPUT_GAP"
    title = "Output is missing before this."
    remediation = "Send everything from expectedSeq on."
