"""/api/schedules: runs at certain times."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import idempotency
from accounts.api.auth import caller_of
from automations import schedules
from automations.api.rows import PAGING, FiringPage, Reason, StandingForm, StandingRow, page_of, page_of_firings, reason
from automations.api.rows import read as read_form
from automations.models import Firing, Schedule
from automations.schedules import Wish
from automations.whose import find, visible
from core.api.fields import Count, EpochMs, Flag, Text, TextOrNull, Usd
from core.api.openapi import refusals
from core.errors import BadInput, Problem
from runs.api.keyed import KEY, answer_once
from runs.order import Mode

_NAMES = (
    ("everyS", "every_s"),
    ("timeZone", "zone"),
    ("giveUpAfter", "give_up_after"),
    ("maxUsd", "run_cap_usd"),
    ("maxUsdPerDay", "day_cap_usd"),
)


class ScheduleRow(StandingRow):
    """A schedule."""

    scheduleId = serializers.CharField(source="schedule_id")
    cron = TextOrNull()
    everyS = serializers.IntegerField(source="every_s", allow_null=True)
    timeZone = serializers.CharField(source="zone")
    overlap = serializers.CharField()
    maxUsdPerDay = Usd(source="day_cap_usd", allow_null=True)
    giveUpAfter = serializers.IntegerField(source="give_up_after")
    status = serializers.CharField(help_text="active or paused.")
    reason = serializers.SerializerMethodField(help_text="Why it is paused.")
    failures = serializers.IntegerField(help_text="In a row.")
    lastError = serializers.SerializerMethodField(help_text="Of the newest failure in that row.")
    nextAt = EpochMs(source="next_at", allow_null=True)

    @extend_schema_field(Reason(allow_null=True))
    def get_reason(self, schedule: Schedule) -> dict[str, Any] | None:
        """None while it is active."""
        return reason(schedule.reason)

    @extend_schema_field(Reason(allow_null=True))
    def get_lastError(self, schedule: Schedule) -> dict[str, Any] | None:  # noqa: N802 (the wire's word)
        """None while nothing fails."""
        return reason(schedule.error)


class SchedulePage(serializers.Serializer[Any]):
    """Some schedules, newest first."""

    schedules = ScheduleRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class ScheduleForm(StandingForm):
    """A schedule that is wanted: either cron or everyS."""

    cron = Text(required=False, allow_blank=True, max_length=120, help_text="minute hour day month weekday")
    everyS = Count(required=False, allow_null=True, help_text="Or every so many seconds, from 60.")
    timeZone = Text(required=False, max_length=64, help_text="Whose wall clock cron goes by; UTC unless given.")
    overlap = serializers.ChoiceField(choices=["skip", "allow"], required=False, help_text="While the last one runs.")
    maxUsdPerDay = Usd(required=False, allow_null=True, help_text="For all runs of a UTC day. Live needs it.")
    giveUpAfter = Count(
        required=False, min_value=1, max_value=100, help_text="It pauses after so many failures in a row; 3."
    )


class ScheduleChange(ScheduleForm):
    """What is to be different. `paused` stands alone."""

    slug = Text(required=False, max_length=64)
    paused = Flag(required=False, help_text="true: due no more; false: due again from now on.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Pausing is staff's, too; so it is not mixed with what is not."""
        if not attrs or ("paused" in attrs and len(attrs) > 1):
            raise serializers.ValidationError({"paused": "Send it alone, or other fields."}, code="CHANGE_AMBIGUOUS")
        return attrs


class Schedules(APIView):
    """The caller's schedules."""

    @extend_schema(operation_id="listSchedules", responses=SchedulePage, parameters=PAGING)
    def get(self, request: Request) -> Response:
        """Newest first; staff see everybody's."""
        rows = visible(Schedule.objects.all(), caller_of(request))
        return page_of(request, rows, name="schedules", row=ScheduleRow)

    @extend_schema(
        operation_id="createSchedule",
        request=ScheduleForm,
        responses={201: ScheduleRow, **refusals(402, 404, 409)},
        parameters=KEY,
    )
    def post(self, request: Request) -> Response:
        """A new schedule. It is refused where its first run would be."""
        caller = caller_of(request)
        caller.known_user  # noqa: B018 (401 before 422)
        said = read_form(ScheduleForm(data=request.data), _NAMES)
        wish = Wish(**{**said, "mode": Mode(said.get("mode", "mock"))})

        def commit(wish: Wish) -> idempotency.Answer:
            schedule = schedules.make_schedule(wish, caller, at=timezone.now())
            schedule.refresh_from_db()
            return idempotency.Answer(status=201, body=dict(ScheduleRow(schedule).data))

        return answer_once(request, caller, prepare=lambda: wish, commit=commit)


class ScheduleView(APIView):
    """One schedule."""

    @extend_schema(operation_id="getSchedule", responses=ScheduleRow)
    def get(self, request: Request, schedule_id: str) -> Response:
        """The schedule."""
        return Response(ScheduleRow(_find(request, schedule_id)).data)

    @extend_schema(operation_id="changeSchedule", request=ScheduleChange, responses={200: ScheduleRow, **refusals(402)})
    def patch(self, request: Request, schedule_id: str) -> Response:
        """Change it, pause it or resume it. What was missed while it was paused is not made up for."""
        caller = caller_of(request)
        _find(request, schedule_id)
        said = read_form(ScheduleChange(data=request.data), _NAMES)
        if said.get("paused") is True:
            schedule = schedules.pause_schedule(schedule_id, caller)
        elif said.get("paused") is False:
            schedule = schedules.resume_schedule(schedule_id, caller, at=timezone.now())
        else:
            schedule = schedules.change_schedule(schedule_id, _rhythm_of(said), caller, at=timezone.now())
        return Response(ScheduleRow(schedule).data)

    @extend_schema(operation_id="deleteSchedule", responses={204: None})
    def delete(self, request: Request, schedule_id: str) -> Response:
        """It is gone with its history; its runs stay."""
        schedules.delete_schedule(schedule_id, caller_of(request))
        return Response(status=204)


class ScheduleRuns(APIView):
    """What became of a schedule's due times."""

    @extend_schema(operation_id="listScheduleRuns", responses=FiringPage, parameters=PAGING)
    def get(self, request: Request, schedule_id: str) -> Response:
        """Newest first: runs, and why there was none."""
        firings = Firing.objects.filter(schedule=_find(request, schedule_id))
        return Response(page_of_firings(request, firings, keys=("id",), descending=True))


def _find(request: Request, schedule_id: str) -> Schedule:
    return find(Schedule.objects.all(), caller_of(request), schedule_id=schedule_id)


def _rhythm_of(said: dict[str, Any]) -> dict[str, Any]:
    """A new rhythm takes the place of the other kind."""
    if said.get("cron") and said.get("every_s") is not None:
        sentence = "Say either cron or everyS."
        raise BadInput(sentence, problems=[Problem(code="RHYTHM_AMBIGUOUS", message=sentence, path="cron")])
    if said.get("cron"):
        return {**said, "every_s": None}
    return {**said, "cron": ""} if said.get("every_s") is not None else said
