"""The life of a run, a step and an attempt, as data.

A move is named by what happened. `runs.transitions` makes the moves; nothing else writes a status.
"""

from enum import StrEnum

from core.moves import Move


class RunStatus(StrEnum):
    """Where a run stands."""

    QUEUED = "queued"  #: accepted and paid for up to its cap; nothing has begun
    RUNNING = "running"  #: at least one step is at work or can be
    WAITING = "waiting"  #: nothing moves until a person decides
    DONE = "done"  #: every step is done or was not needed
    FAILED = "failed"  #: a step failed, and nothing else is at work
    CANCELED = "canceled"  #: somebody stopped it


class StepStatus(StrEnum):
    """Where a step stands."""

    QUEUED = "queued"  #: its parents are not done
    RUNNING = "running"  #: an attempt is at work
    WAITING = "waiting"  #: a person must decide
    DONE = "done"  #: its assets are stored
    FAILED = "failed"  #: its last attempt failed
    SKIPPED = "skipped"  #: it will not be needed any more
    CANCELED = "canceled"  #: somebody stopped it


class AttemptStatus(StrEnum):
    """Where one try at a step stands, as far as our own records can tell."""

    PLANNED = "planned"  #: nothing was sent
    SUBMITTING = "submitting"  #: the intent is committed; the request may be on its way
    ACCEPTED = "accepted"  #: the provider gave us its id for the job
    SETTLING = "settling"  #: the provider is finished; its results are being fetched, or a local step renders
    DONE = "done"
    FAILED = "failed"
    CANCELED = "canceled"
    UNKNOWN = "unknown"  #: the request may or may not have arrived; never sent again unless that is disproved
    CANCELING = "canceling"  #: nobody wants it any more, but the provider has not said that it ended


class WaitReason(StrEnum):
    """Why a step that is not final does not move by itself right now."""

    DEPENDENCY = "dependency"  #: an earlier step is not done
    PROVIDER_QUEUE = "provider_queue"  #: the provider has not begun
    PROVIDER_LIMIT = "provider_limit"  #: as many jobs are in flight as the account allows
    PROVIDER_PAUSED = "provider_paused"  #: the model failed so often that it is left alone for a while
    RATE_LIMIT = "rate_limit"  #: the provider asked us to slow down
    BUDGET = "budget"  #: money is missing
    APPROVAL = "approval"  #: a person must look
    BACKOFF = "backoff"  #: something failed that may pass; trying again later
    SUBMISSION_UNKNOWN = "submission_unknown"  #: a paid request's fate is not known


class Stage(StrEnum):
    """One word for a progress line: what the run is busy with."""

    QUEUED = "queued"
    GENERATING = "generating"
    ASSEMBLING = "assembling"
    REVIEW = "review"
    COMPLETE = "complete"
    FAILED = "failed"
    CANCELED = "canceled"


_RQ, _RR, _RW = RunStatus.QUEUED, RunStatus.RUNNING, RunStatus.WAITING
RUN_FINAL = frozenset({RunStatus.DONE, RunStatus.FAILED, RunStatus.CANCELED})
RUN_MOVES = {
    # what happened   from             to
    "started": Move({_RQ}, RunStatus.RUNNING),
    "held": Move({_RR}, RunStatus.WAITING),
    "resumed": Move({_RW}, RunStatus.RUNNING),
    "finished": Move({_RR}, RunStatus.DONE),
    "failed": Move({_RQ, _RR, _RW}, RunStatus.FAILED),
    "canceled": Move({_RQ, _RR, _RW}, RunStatus.CANCELED),
    "reopened": Move({_RW, *RUN_FINAL}, RunStatus.RUNNING),
}

_SQ, _SR, _SW = StepStatus.QUEUED, StepStatus.RUNNING, StepStatus.WAITING
STEP_FINAL = frozenset({StepStatus.DONE, StepStatus.FAILED, StepStatus.SKIPPED, StepStatus.CANCELED})
STEP_MOVES = {
    "started": Move({_SQ}, StepStatus.RUNNING),
    "held": Move({_SQ, _SR}, StepStatus.WAITING),
    "resumed": Move({_SW}, StepStatus.RUNNING),
    "finished": Move({_SR}, StepStatus.DONE),
    "approved": Move({_SW}, StepStatus.DONE),
    "reused": Move({_SQ}, StepStatus.DONE),
    "failed": Move({_SR, _SW}, StepStatus.FAILED),
    "skipped": Move({_SQ}, StepStatus.SKIPPED),
    "canceled": Move({_SQ, _SR, _SW}, StepStatus.CANCELED),
    "reopened": Move({_SW, *STEP_FINAL}, StepStatus.QUEUED),
}

_A = AttemptStatus
ATTEMPT_FINAL = frozenset({_A.DONE, _A.FAILED, _A.CANCELED})
ATTEMPT_MOVES = {
    "submitting": Move({_A.PLANNED}, _A.SUBMITTING),
    "postponed": Move({_A.SUBMITTING, _A.UNKNOWN}, _A.PLANNED),
    "accepted": Move({_A.SUBMITTING, _A.UNKNOWN}, _A.ACCEPTED),
    "unknown": Move({_A.SUBMITTING}, _A.UNKNOWN),
    "settling": Move({_A.ACCEPTED}, _A.SETTLING),
    "rendering": Move({_A.PLANNED}, _A.SETTLING),
    "done": Move({_A.SETTLING}, _A.DONE),
    "failed": Move({_A.PLANNED, _A.SUBMITTING, _A.ACCEPTED, _A.SETTLING, _A.UNKNOWN}, _A.FAILED),
    "canceling": Move({_A.SUBMITTING, _A.ACCEPTED, _A.SETTLING, _A.UNKNOWN}, _A.CANCELING),
    "canceled": Move({_A.PLANNED, _A.SETTLING, _A.CANCELING}, _A.CANCELED),
}
