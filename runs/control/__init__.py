"""What a person can do to a run: stop it, decide at a gate, have something made again, branch it off.

Each is one transaction on the locked run: two people who press at once get one effect, and the second an answer
that says so.
"""

from runs.control.cancel import cancel_run
from runs.control.feedback import give_feedback
from runs.control.fork import draft_fork, foresee_fork, fork_run, place_fork
from runs.control.gates import approve_run, reject_run
from runs.control.keep import keep_run
from runs.control.reopen import rerun_from, resume_run, retry_run
from runs.control.unknown import resolve_unknown

__all__ = [
    "approve_run",
    "cancel_run",
    "draft_fork",
    "foresee_fork",
    "fork_run",
    "give_feedback",
    "keep_run",
    "place_fork",
    "reject_run",
    "rerun_from",
    "resolve_unknown",
    "resume_run",
    "retry_run",
]
