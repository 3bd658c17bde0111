"""Schedules whose time has come. Each due time begins one run, however often and by however many it is looked for.

One transaction holds the schedule's row, writes what became of the due time, makes the run, and moves `next_at` on. So
whoever comes second finds nothing due, and whoever dies in the middle leaves everything as it was. A second row for the
same due time the database refuses.
"""

import logging
from datetime import datetime

from django.db import DatabaseError, InterfaceError, transaction

from automations import begin
from automations.begin import Room
from automations.models import Firing, Schedule
from automations.schedules import BY_ITSELF, pause, rhythm_of
from automations.whose import caller_for
from core.again import again
from core.errors import OverBudget, ZapsError
from runs.states import RUN_FINAL

logger = logging.getLogger(__name__)

AT_ONCE = 200  # schedules a look
OVERLAP = "STILL_AT_WORK"
_FINAL = sorted(map(str, RUN_FINAL))


def fire_due(*, at: datetime) -> int:
    """Fire what is due at that moment. Returns how many due times were dealt with here.

    Where the database fails, a schedule stays due.
    """
    due = Schedule.objects.filter(status="active", next_at__lte=at).order_by("next_at", "pk")
    return sum(_try(pk, at) for pk in due.values_list("pk", flat=True)[:AT_ONCE])


def _try(pk: int, at: datetime) -> bool:
    try:
        return _fire(pk, at)
    except (DatabaseError, InterfaceError):
        logger.exception("schedule=%s fired=later", pk)
        return False


@again
@transaction.atomic
def _fire(pk: int, at: datetime) -> bool:
    free = Schedule.objects.select_for_update(skip_locked=True, of=("self",)).select_related("owner")
    schedule = free.filter(pk=pk, status="active", next_at__lte=at).first()
    if schedule is None or schedule.next_at is None:
        return False
    rhythm = rhythm_of(schedule)
    newest, missed = rhythm.newest(schedule.next_at, at)
    known = set(Firing.objects.filter(schedule=schedule, due_at__gte=schedule.next_at).values_list("due_at", flat=True))
    if missed and schedule.next_at not in known:
        Firing.objects.create(schedule=schedule, due_at=schedule.next_at, status="missed", times=missed, ended_at=at)
    schedule.next_at = rhythm.after(at)
    if newest not in known:
        firing = Firing(schedule=schedule, due_at=newest)
        _begin(schedule, firing, at)
        firing.save()
        logger.info("schedule=%s due=%s status=%s", schedule, newest.isoformat(), firing.status)
    schedule.save()
    return True


def _begin(schedule: Schedule, firing: Firing, at: datetime) -> None:
    earlier = Firing.objects.filter(schedule=schedule)
    if schedule.overlap == "skip" and earlier.filter(status="started").exclude(run__status__in=_FINAL).exists():
        _end(firing, "skipped", OVERLAP, at)
        return
    try:
        caller = caller_for(schedule, principal_id=f"schedule:{schedule.schedule_id}")
        drafted = begin.plan(schedule, caller, kept=schedule.inputs, at=at)
    except ZapsError as exc:
        _refuse(schedule, firing, exc.code, at)
        return
    try:
        with transaction.atomic():
            begin.begin(firing, drafted, caller, room=Room.of_day(earlier, schedule.day_cap_usd, at=at), at=at)
    except OverBudget as exc:
        _end(firing, "skipped", exc.code, at)
    except ZapsError as exc:
        _refuse(schedule, firing, exc.code, at)


def _refuse(schedule: Schedule, firing: Firing, code: str, at: datetime) -> None:
    _end(firing, "refused", code, at)
    note_failure(schedule, code)


def _end(firing: Firing, status: str, code: str, at: datetime) -> None:
    firing.status, firing.error, firing.ended_at = status, code, at


def note_failure(schedule: Schedule, code: str) -> None:
    """One more in a row; after too many the locked row pauses itself. To be saved."""
    schedule.failures += 1
    schedule.error = code
    if schedule.failures >= schedule.give_up_after and schedule.status == "active":
        pause(schedule, reason=BY_ITSELF)
