"""Schedules: made, changed and taken back by their owners."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.caller import Caller
from automations import media, rhythm
from automations.models import Schedule
from automations.whose import find_to_stop, require_giver
from core.errors import BadInput, Problem
from core.ids import new_id
from runs import uploads
from runs.inputs import keys_of
from runs.order import Draft, Mode, Order, admit, draft, keep_media

BY_OWNER, BY_STAFF, BY_ITSELF = "PAUSED_BY_OWNER", "PAUSED_BY_STAFF", "FAILED_TOO_OFTEN"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A schedule as somebody wants it. Exactly one of `cron` and `every_s` is set."""

    name: str = ""
    slug: str
    version: int | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict, repr=False)
    mode: Mode = Mode.MOCK
    cron: str = ""
    every_s: int | None = None
    zone: str = "UTC"
    overlap: str = "skip"
    give_up_after: int = 3
    run_cap_usd: Decimal | None = None
    day_cap_usd: Decimal | None = None


def rhythm_of(schedule: Schedule) -> rhythm.Rhythm:
    """When it is due."""
    return rhythm.read(cron=schedule.cron, every_s=schedule.every_s, zone=schedule.zone, since=schedule.since)


def make_schedule(wish: Wish, caller: Caller, *, at: datetime) -> Schedule:
    """A new schedule, whose first run would be accepted now. Raises BadInput, and as `runs.order.draft`."""
    admit(wish.mode, caller)
    schedule = Schedule(schedule_id=new_id("schedule"), owner=caller.known_user, made_by=caller.principal_id, since=at)
    return _write(schedule, wish, caller, at=at)


def change_schedule(schedule_id: str, wish: Mapping[str, Any], caller: Caller, *, at: datetime) -> Schedule:
    """The schedule with some of its wishes changed, which then counts as made by this caller. Raises as making one."""
    with transaction.atomic():
        schedule = find_to_stop(_locked(), caller, schedule_id=schedule_id)
        require_giver(schedule, caller)
        whole = {**{name: getattr(schedule, name) for name in Wish.__dataclass_fields__}, **wish}
        wanted = Wish(**{**whole, "mode": Mode(whole["mode"])})
        admit(wanted.mode, caller)
        schedule.made_by = caller.principal_id
        return _write(schedule, wanted, caller, at=at, kept=None if "inputs" in wish else schedule.inputs)


def pause_schedule(schedule_id: str, caller: Caller) -> Schedule:
    """It is not due any more. Pausing twice keeps the first reason."""
    with transaction.atomic():
        schedule = find_to_stop(_locked(), caller, schedule_id=schedule_id)
        if schedule.status == "active":
            is_own = schedule.owner_id == caller.known_user.pk
            pause(schedule, reason=BY_OWNER if is_own else BY_STAFF)
            schedule.save()
        return schedule


def resume_schedule(schedule_id: str, caller: Caller, *, at: datetime) -> Schedule:
    """It is due again from now on; what was missed meanwhile is not made up for. Raises CallerRefused."""
    with transaction.atomic():
        schedule = find_to_stop(_locked(), caller, schedule_id=schedule_id)
        require_giver(schedule, caller)
        if schedule.status == "paused":
            schedule.status, schedule.reason, schedule.failures, schedule.error = "active", "", 0, ""
            schedule.next_at = rhythm_of(schedule).after(at)
            schedule.made_by = caller.principal_id
            schedule.save()
        return schedule


def delete_schedule(schedule_id: str, caller: Caller) -> None:
    """It is gone, with its history and what it was given. Its runs stay."""
    with transaction.atomic():
        schedule = find_to_stop(_locked(), caller, schedule_id=schedule_id)
        schedule.delete()
        media.release([schedule.media], of=schedule_id)


def pause(schedule: Schedule, *, reason: str) -> None:
    """The locked row, to be saved."""
    schedule.status, schedule.reason, schedule.next_at = "paused", reason, None


def _locked() -> QuerySet[Schedule]:
    return Schedule.objects.select_for_update()


def _write(
    schedule: Schedule, wish: Wish, caller: Caller, *, at: datetime, kept: Mapping[str, Any] | None = None
) -> Schedule:
    """`kept` are inputs that are in storage already; else those of the wish are brought there."""
    _require_caps(wish)
    beat = rhythm.read(cron=wish.cron, every_s=wish.every_s, zone=wish.zone, since=at)
    rhythm.read_zone(wish.zone)
    inputs = trial(wish, caller, kept=kept, at=at).plan.inputs
    is_new_beat = (wish.cron, wish.every_s, wish.zone) != (schedule.cron, schedule.every_s, schedule.zone)
    for name in Wish.__dataclass_fields__:
        setattr(schedule, name, getattr(wish, name))
    named_before, schedule.media = schedule.media, sorted(keys_of(inputs))
    schedule.inputs = dict(inputs)
    if schedule.status == "active" and (is_new_beat or schedule.next_at is None):
        schedule.since, schedule.next_at = at, beat.after(at)
    with transaction.atomic():
        uploads.use(inputs)
        schedule.save()
        media.release([named_before], of=schedule.schedule_id)
    return schedule


def trial(wish: Wish, caller: Caller, *, kept: Mapping[str, Any] | None, at: datetime) -> Draft:
    """What its run would be now, with its media in storage."""
    order = Order(
        slug=wish.slug,
        version=wish.version,
        inputs=wish.inputs if kept is None else {},
        kept=kept or {},
        mode=wish.mode,
        max_usd=wish.run_cap_usd,
    )
    return keep_media(draft(order, caller, today=at.date()))


def _require_caps(wish: Wish) -> None:
    if wish.mode is Mode.LIVE and (wish.run_cap_usd is None or wish.day_cap_usd is None):
        path = "maxUsd" if wish.run_cap_usd is None else "maxUsdPerDay"
        sentence = "What spends money without a person needs maxUsd, for a run, and maxUsdPerDay."
        raise BadInput(sentence, problems=[Problem(code="CAP_MISSING", message=sentence, path=path)])
