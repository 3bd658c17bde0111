"""What became of the runs: written into their firings, once, when they have ended the first time."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q, QuerySet

from automations.due import note_failure
from automations.models import Firing, Schedule
from core.again import again
from runs.states import RUN_FINAL

GONE = "RUN_DELETED"
_AT_ONCE = 500
_FINAL = sorted(map(str, RUN_FINAL))


def settle(*, at: datetime) -> None:
    """Whatever has ended. Safe to repeat, and to do by many at once."""
    for status in _FINAL:
        others = Firing.objects.filter(schedule=None, status="started", run__status=status)
        others.update(status=status, ended_at=at)
    Firing.objects.filter(schedule=None, status="started", run=None).update(status="canceled", error=GONE, ended_at=at)
    mine = Schedule.objects.filter(firings__in=_ended()).order_by("pk").distinct()
    for pk in mine.values_list("pk", flat=True)[:_AT_ONCE]:
        _settle_schedule(pk, at)


def _ended() -> QuerySet[Firing]:
    return Firing.objects.filter(Q(run__status__in=_FINAL) | Q(run=None), status="started")


@again
@transaction.atomic
def _settle_schedule(pk: int, at: datetime) -> None:
    schedule = Schedule.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if schedule is None:
        return
    for firing in _ended().filter(schedule=schedule).select_related("run").order_by("due_at"):
        run = firing.run
        firing.status, firing.error = (run.status, run.error) if run is not None else ("canceled", GONE)
        firing.ended_at = at
        firing.save()
        if firing.status == "failed":
            note_failure(schedule, firing.error)
        elif firing.status == "done":
            schedule.failures, schedule.error = 0, ""
    schedule.save()
