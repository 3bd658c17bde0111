"""The life of a flow run and of an attempt at it, as data.

A run moves by what happened to it. `flows.transitions` writes every status; nothing else does. A final status stays:
another try at a finished run is another run.
"""

from enum import StrEnum


class Runner(StrEnum):
    """What a step's script is run by."""

    BUN = "bun"
    NODE = "node"
    PYTHON = "python"
    SHELL = "shell"
    CODE_MODE = "code-mode"  #: runs what an agent wrote; workers take it only where they were told that they may


class RunStatus(StrEnum):
    """Where a run stands, as a process: whether its worker came back, not what it found."""

    QUEUED = "queued"  #: nobody works on it; it may wait for its moment, or for its concurrency key
    RUNNING = "running"  #: an attempt holds a lease
    COMPLETED = "completed"  #: the worker reported a result, whatever it says
    FAILED = "failed"  #: the worker reported an error, or too many attempts were lost
    CANCELED = "canceled"  #: somebody stopped it


class AttemptStatus(StrEnum):
    """Where one worker's try at a run stands."""

    RUNNING = "running"  #: it holds the run's lease
    COMPLETED = "completed"
    FAILED = "failed"  #: it reported an error, gave the run back, or its lease ran out
    CANCELED = "canceled"  #: the run was stopped under it


class ResultStatus(StrEnum):
    """What a step says of itself, at the top of its result. Shown in place of the run's own status."""

    SKIPPED = "skipped"
    COMPLETED = "completed"
    CHANGED = "changed"
    NEEDS_INTERVENTION = "needs_intervention"
    BLOCKED = "blocked"
    FAILED = "failed"


class OutputKind(StrEnum):
    """Who wrote a piece of output."""

    SYSTEM = "system"  #: the worker, about the step
    STDOUT = "stdout"
    STDERR = "stderr"
    AGENT = "agent"


FINAL = (RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.CANCELED)
NEED_ATTENTION = (ResultStatus.BLOCKED, ResultStatus.NEEDS_INTERVENTION)


def result_status(result: object) -> str:
    """What a result says of itself; "" where it says nothing that we know."""
    said = result.get("status") if isinstance(result, dict) else None
    return said if isinstance(said, str) and said in set(ResultStatus) else ""
