"""Domain code that wants to know when a run has ended, in this process and without the network.

A hook is called after the end was committed, at least once: where the process dies first, or the hook raises, the
sweep calls it again. It gets the run's row and must be safe to repeat.
"""

import logging
from collections.abc import Callable, Iterable

from flows import sql
from flows.models import FlowRun

logger = logging.getLogger(__name__)

Hook = Callable[[FlowRun], None]
_hooks: list[Hook] = []

_TOLD = "UPDATE flow_runs SET is_told = true WHERE run_id = %(run)s AND NOT is_told"


def on_final(hook: Hook) -> Hook:
    """Register a hook, as a decorator or in an app's `ready`; it stays registered for the process's life."""
    if hook not in _hooks:
        _hooks.append(hook)
    return hook


def remove(hook: Hook) -> None:
    """Forget a hook."""
    _hooks.remove(hook)


def are_there() -> bool:
    """Whether anybody wants to know; where not, ends are written down as told."""
    return bool(_hooks)


def tell(run_ids: Iterable[str]) -> int:
    """Call every hook for runs that have ended. Returns how many runs could be told of; the others are tried again."""
    if not _hooks:
        return 0
    return sum(_tell(run) for run in FlowRun.objects.filter(run_id__in=list(run_ids)).select_related("event"))


def _tell(run: FlowRun) -> bool:
    try:
        for hook in _hooks:
            hook(run)
    except Exception:
        logger.exception("flow run=%s hook failed", run.run_id)
        return False
    sql.count(_TOLD, {"run": run.run_id})
    return True
