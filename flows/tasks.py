"""The Celery door."""

from typing import Any

from celery import shared_task

from flows.sweep import sweep as run_sweep


@shared_task(name="flows.sweep", ignore_result=True)
def sweep(**_newer: Any) -> None:
    """One cycle of the sweep. `_newer` lets an old worker accept a newer message."""
    run_sweep()
