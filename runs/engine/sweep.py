"""Files that nobody will ever name: stored for an attempt that was canceled or failed before it had assets."""

from datetime import timedelta

from django.core.files.storage import default_storage
from django.db.models.functions import Now

from runs.models import Asset, Attempt
from runs.states import AttemptStatus

SETTLED = timedelta(hours=1)  # by then no worker is still storing
LOOKED_AT = timedelta(days=30)
_READ = ("number", "run__run_id", "step__step_id")


def sweep() -> int:
    """Delete them. Returns how many. Safe to repeat, and to run while others work."""
    ended = Attempt.objects.filter(
        status__in=[AttemptStatus.CANCELED, AttemptStatus.FAILED],
        finished_at__lt=Now() - SETTLED,
        finished_at__gt=Now() - LOOKED_AT,
    )
    return sum(_sweep(attempt) for attempt in ended.select_related("run", "step").only(*_READ).iterator())


def _sweep(attempt: Attempt) -> int:
    folder = f"runs/{attempt.run.run_id}/{attempt.step.step_id}/{attempt.number}"
    try:
        _, names = default_storage.listdir(folder)
    except FileNotFoundError:
        return 0
    kept = set(Asset.objects.filter(attempt=attempt).values_list("storage_key", flat=True))
    orphans = [name for name in names if f"{folder}/{name}" not in kept]
    for name in orphans:
        default_storage.delete(f"{folder}/{name}")
    return len(orphans)
