"""What this app holds of an account that leaves: its standing orders. Their runs are held by the runs' own part."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.leaving import Part
from accounts.leaving.parts import STARTS_WORK
from automations import media
from automations.models import Batch, Firing, Schedule, Trigger

_OURS = (Schedule, Trigger, Batch)
_NOT_SHOWN = {"id", "owner_id", "digest", "media"}


def remove(user_pk: int) -> Sequence[str]:
    """Nothing of theirs begins any more, and nothing that they named is kept for it."""
    with transaction.atomic():
        named = [keys for rows in _naming(user_pk) for keys in rows.values_list("media", flat=True).distinct()]
        for kind in _OURS:
            kind._default_manager.filter(owner_id=user_pk).delete()
        media.release(named, of=f"user:{user_pk}")
    return []


def _naming(user_pk: int) -> list[QuerySet[Any]]:
    rows = Firing.objects.filter(batch__owner_id=user_pk)
    return [Schedule.objects.filter(owner_id=user_pk), Trigger.objects.filter(owner_id=user_pk), rows]


def export(user_pk: int) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    """Every order as it stands, without what opens it, and what became of it."""
    orders = {kind._meta.db_table: _rows(kind, user_pk) for kind in _OURS}
    return {**orders, "firings": _firings(user_pk)}


def _rows(kind: Any, user_pk: int) -> Iterable[Mapping[str, Any]]:
    for row in kind._default_manager.filter(owner_id=user_pk).order_by("pk").values().iterator():
        yield {name: _plain(value) for name, value in row.items() if name not in _NOT_SHOWN}


def _firings(user_pk: int) -> Iterable[Mapping[str, Any]]:
    names = ("schedule__schedule_id", "trigger__trigger_id", "batch__batch_id", "number", "due_at", "status", "error",
             "inputs", "run__run_id", "begun_at", "ended_at")  # fmt: skip
    for kind in ("schedule", "trigger", "batch"):
        rows = Firing.objects.filter(**{f"{kind}__owner_id": user_pk}).order_by("pk").values(*names)
        for row in rows.iterator():
            yield {name.rpartition("__")[2]: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | dict | list | None) else str(value)


PART = Part(name="automations", remove=remove, export=export, order=STARTS_WORK)
