"""Reading runs."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Caller, Scope
from core.api.etags import CONDITIONAL, NOT_MODIFIED, asks_whether_new, has, not_modified, tagged
from core.api.filters import moment, parameters, read_filters, text, word
from core.api.openapi import OPEN, SHARED, refusals
from core.api.paging import PAGING, paginate, read_limit
from core.errors import NotFound
from runs import queries
from runs.api.examples import PAGE, SNAPSHOT
from runs.api.readers import guest_of, reader_of
from runs.api.rows import PROVIDER_MODES
from runs.api.serializers import EventRow, RunDocument, RunRow, document, snapshot
from runs.api.step_rows import AttemptRow
from runs.deletion import delete_run
from runs.info import gather
from runs.models import Run, RunEvent
from runs.states import RunStatus

_FILTERS = (
    word("status", "status", RunStatus),
    text("zapSlug", "zap_slug", hint="a slug", about="Of that recipe."),
    word("mode", "provider_mode", PROVIDER_MODES),
    text("parentRunId", "parent__run_id", hint="a run's id", about="Branched off that run."),
    moment("since", "started_at__gte", about="Begun then or later, in milliseconds since 1970."),
    moment("until", "started_at__lt", about="Begun before."),
)


class RunPage(serializers.Serializer[Any]):
    """Some runs, newest first."""

    runs = RunRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class EventPage(serializers.Serializer[Any]):
    """Some of a run's events, oldest first."""

    events = EventRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class StepAttempts(AttemptRow):
    """One try, with the step that it belongs to."""

    stepId = serializers.CharField()


class AttemptList(serializers.Serializer[Any]):
    """Every try of a run, oldest first."""

    attempts = StepAttempts(many=True)


class Runs(APIView):
    """The caller's runs."""

    @extend_schema(
        operation_id="listRuns",
        examples=PAGE,
        auth=OPEN,
        responses=RunPage,
        parameters=[*PAGING, *parameters(_FILTERS)],
    )
    def get(self, request: Request) -> Response:
        """Newest first; staff see everybody's."""
        caller = reader_of(request)
        wanted = queries.runs_of(caller).filter(**read_filters(request.query_params, _FILTERS))
        page = paginate(
            wanted,
            keys=("started_at", "id"),
            descending=True,
            cursor=request.query_params.get("cursor"),
            limit=read_limit(request.query_params.get("limit")),
        )
        rows = RunRow(page.items, many=True, context={"secrets": caller.is_known}).data
        return Response({"runs": rows, "nextCursor": page.next_cursor})


class RunView(APIView):
    """One run."""

    @extend_schema(
        operation_id="getRun",
        auth=SHARED,
        examples=SNAPSHOT,
        responses={200: RunDocument, **NOT_MODIFIED},
        parameters=CONDITIONAL,
    )
    def get(self, request: Request, run_id: str) -> Response:
        """The run with its steps, attempts, assets and feedback, all of the same moment. 304 until it changes."""
        caller = guest_of(request)
        if asks_whether_new(request):
            tag = _tag(queries.glance(run_id, caller), caller)
            if has(request, tag):
                return not_modified(tag)
        picture = queries.get_picture(run_id, caller)
        body = document(picture, secrets=queries.sees_secrets(picture.run, caller))
        return tagged(body, _tag(picture.run, caller))

    @extend_schema(operation_id="deleteRun", auth=OPEN, request=None, responses={204: None, **refusals(409)})
    def delete(self, request: Request, run_id: str) -> Response:
        """Delete a run that has ended: all that was given, said and made. What it cost stays on record.

        Deleting twice is the same as once. 409 while it, or a job of it at a provider, has not ended: cancel it first.
        """
        caller = caller_of(request)
        try:
            run = queries.get_run(run_id, caller)
        except queries.RunDeleted:
            return Response(status=204)
        if caller.is_known:
            caller.require(Scope.RUN)
        if not queries.may_change(run, caller):
            raise NotFound(f"There is no run {run_id!r}.")
        delete_run(run_id, actor=caller.principal_id)
        return Response(status=204)


class Attempts(APIView):
    """Every try that a run made."""

    @extend_schema(operation_id="listAttempts", auth=OPEN, responses=AttemptList)
    def get(self, request: Request, run_id: str) -> Response:
        """Oldest first."""
        steps = snapshot(run_id, reader_of(request))["steps"]
        tries = [{"stepId": step["stepId"], **attempt} for step in steps for attempt in step["attempts"]]
        return Response({"attempts": sorted(tries, key=lambda attempt: attempt["createdAt"])})


class Log(APIView):
    """What happened to a run."""

    @extend_schema(operation_id="listRunEvents", auth=SHARED, responses=EventPage, parameters=PAGING)
    def get(self, request: Request, run_id: str) -> Response:
        """Every transition, oldest first."""
        run = queries.get_run(run_id, guest_of(request))
        page = paginate(
            RunEvent.objects.filter(run=run),
            keys=("seq",),
            descending=False,
            cursor=request.query_params.get("cursor"),
            limit=read_limit(request.query_params.get("limit")),
        )
        return Response({"events": EventRow(page.items, many=True).data, "nextCursor": page.next_cursor})


class Info(APIView):
    """What this server is made of."""

    @extend_schema(operation_id="getInfo", tags=["server"], responses={200: OpenApiTypes.OBJECT})
    def get(self, request: Request) -> Response:
        """Versions, database, broker, storage, providers and beat; no secrets. Staff only."""
        caller = caller_of(request)
        caller.require_staff()
        return Response(gather(owner_id=caller.known_user.pk))


def _tag(run: Run, caller: Caller) -> str:
    """A weak tag: a revision, and who is shown what. What bumps no revision is no reason to send a snapshot again."""
    return f'W/"{run.revision}{"s" if queries.sees_secrets(run, caller) else ""}"'
