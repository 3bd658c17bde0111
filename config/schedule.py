"""What beat sends, as data. Rows are added where they are missing and never changed: an operator's edits stay."""

from dataclasses import dataclass

from django.apps import apps
from django.db import connection, transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One task that is sent every `every_s` seconds, and dropped when no worker took it within `expires_s`."""

    name: str
    task: str
    queue: str
    every_s: int
    expires_s: int
    about: str


ENTRIES = (
    Entry(
        name="drain",
        task="runs.drain",
        queue="drain",
        every_s=5,
        expires_s=5,
        about="Polls whatever is due and rings for whatever was left lying.",
    ),
    Entry(
        name="erase",
        task="runs.erase",
        queue="engine",
        every_s=60,
        expires_s=60,
        about="Deletes runs that are too old and accounts that leave, and the files of what is deleted.",
    ),
    Entry(
        name="automations",
        task="automations.look",
        queue="engine",
        every_s=5,
        expires_s=5,
        about="Begins what schedules and batches are due to begin.",
    ),
    Entry(
        name="flow-sweep",
        task="flows.sweep",
        queue="engine",
        every_s=10,
        expires_s=10,
        about="Takes flow runs back from workers that were not heard again.",
    ),
    Entry(
        name="prune",
        task="runs.prune",
        queue="engine",
        every_s=86_400,
        expires_s=3_600,
        about="Deletes logs that are older than their retention.",
    ),
    Entry(
        name="prune-deliveries",
        task="notifications.prune",
        queue="engine",
        every_s=86_400,
        expires_s=3_600,
        about="Deletes what was told to whom when it is older than its retention.",
    ),
)


@transaction.atomic
def add_missing() -> list[str]:
    """Add the rows that are not there, found by name. Returns the names that were added; [] before the tables exist."""
    tasks = apps.get_model("django_celery_beat", "PeriodicTask")._default_manager
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule")._default_manager
    if tasks.model._meta.db_table not in connection.introspection.table_names():
        return []
    missing = [entry for entry in ENTRIES if not tasks.filter(name=entry.name).exists()]
    for entry in missing:
        rhythm = {"every": entry.every_s, "period": "seconds"}
        tasks.create(
            name=entry.name,
            task=entry.task,
            queue=entry.queue,
            interval=intervals.filter(**rhythm).first() or intervals.create(**rhythm),
            expire_seconds=entry.expires_s,
            description=entry.about,
        )
    return [entry.name for entry in missing]
