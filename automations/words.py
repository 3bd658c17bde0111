"""What the codes of standing orders mean to a person; the others are the runs'."""

from runs import faults
from runs.faults import Fault

_FAULTS = {
    "STILL_AT_WORK": Fault(
        "The run before it had not ended.", "Nothing is wrong; with overlap allow they run side by side."
    ),
    "ORDER_SPEND_CAP": Fault(
        "What all its runs together may cost is spent or held.", "Wait for tomorrow (UTC), or raise the cap.", True
    ),
    "RIGHT_LOST": Fault(
        "Whoever gave the order may not run it any more.",
        "Its account is closed, or its API key has ended or may do less: give the order again.",
    ),
    "RUN_DELETED": Fault("Its run was deleted.", "Nothing is wrong."),
    "KEY_MISSING": Fault("There is no key of a provider that it needs.", "Store one with `zap keys set PROVIDER`."),
    "NOT_FOUND": Fault("The recipe, or that version of it, is not there any more.", "Choose another recipe."),
    "PAUSED_BY_OWNER": Fault("Its owner paused it.", "Resume it."),
    "PAUSED_BY_STAFF": Fault("An operator paused it.", "Ask the operator."),
    "FAILED_TOO_OFTEN": Fault("It failed too often in a row.", "Look at its runs, mend what fails, and resume it."),
    "CANCELED_WITH_BATCH": Fault("The batch was canceled before its turn came.", "Start a new batch."),
}


def explain(code: str) -> Fault:
    """What `code` means."""
    return _FAULTS.get(code) or faults.explain(code)
