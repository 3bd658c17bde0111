"""The addresses that senders and readers use: a small, fixed wire contract. None ends in a slash."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.openapi import refusals
from core.api.paging import paginate
from flows import events, queries, results
from flows.api import documents, rows, waiting
from flows.api.asks import MAX_WAIT_MS, body_of, limit_of
from flows.api.door import Door, who
from flows.events import Dispatch
from flows.models import FlowEvent, FlowRun
from flows.queries import Place
from flows.states import FINAL

_TRUE = ("true", "1")
IDEMPOTENCY = OpenApiParameter("Idempotency-Key", str, OpenApiParameter.HEADER, description="Of this replay.")


class Events(Door):
    """What happened."""

    rights = {"POST": "may_send"}

    @extend_schema(
        operation_id="listFlowEvents",
        tags=["flows"],
        auth=rows.READ,
        parameters=[OpenApiParameter("type", str), rows.CURSOR, rows.LIMIT],
        responses=rows.FlowEventPage,
    )
    def get(self, request: Request) -> Response:
        """Events, newest first. `?type=` takes one type; `?cursor=` the next page."""
        found = queries.events(request.query_params.get("type", "").replace("\0", ""))
        page = paginate(
            found, keys=("id",), descending=True, cursor=request.query_params.get("cursor"), limit=limit_of(request)
        )
        return Response(_list("events", [documents.event_document(row) for row in page.items], page.next_cursor))

    @extend_schema(
        operation_id="dispatchFlowEvent",
        tags=["flows"],
        auth=rows.SEND,
        request=rows.FlowEventBody,
        parameters=[rows.WAIT],
        responses={202: rows.FlowDispatched, **refusals(409)},
    )
    def post(self, request: Request) -> Response:
        """Accept an event and make the runs that it starts. `?wait=true` answers when they have ended, or in 25 s."""
        done = events.dispatch(request.data)
        return _dispatched(done, wait=request.query_params.get("wait", "") in _TRUE)


class EventAlias(Door):
    """What happened, at the address that older senders know."""

    rights = {"POST": "may_send"}

    @extend_schema(
        operation_id="dispatchFlowEventByAlias",
        tags=["flows"],
        auth=rows.SEND,
        request=rows.FlowEventBody,
        responses={202: rows.FlowDispatched, **refusals(409)},
    )
    def post(self, request: Request) -> Response:
        """Accept an event, as `POST /api/flows/events` does."""
        return _dispatched(events.dispatch(request.data), wait=False)


class OneEvent(Door):
    """One event. Its id is the caller's and may hold anything, slashes too."""

    @extend_schema(operation_id="getFlowEvent", tags=["flows"], auth=rows.READ, responses=rows.FlowEventDocument)
    def get(self, request: Request, event_id: str) -> Response:
        """The event with its runs, the newest 500."""
        event = queries.get_event(event_id)
        runs = [documents.run_document(run) for run in queries.runs(event_id=event_id)[:500]]
        return Response({"event": documents.event_document(event), "runs": runs[::-1]})


class EventReplay(Door):
    """An event run again."""

    rights = {"POST": "may_send"}

    @extend_schema(
        operation_id="getFlowEventThatEndsSo", tags=["flows"], auth=rows.READ, responses=rows.FlowEventDocument
    )
    def get(self, request: Request, event_id: str) -> Response:
        """The event whose own id ends in `/replay`, as this address does."""
        return OneEvent().get(request, f"{event_id}/replay")

    @extend_schema(
        operation_id="replayFlowEvent",
        tags=["flows"],
        auth=rows.SEND,
        request=rows.FlowReplayBody,
        parameters=[IDEMPOTENCY],
        responses={202: rows.FlowDispatched},
    )
    def post(self, request: Request, event_id: str) -> Response:
        """Run a stored event against the flows as they are now. With a key, a repeat names the same runs."""
        queries.get_event(event_id)
        done = events.replay(event_id, key=request.headers.get("Idempotency-Key", ""))
        return _dispatched(done, wait=body_of(request).get("wait") is True)


class Runs(Door):
    """Steps that events started."""

    @extend_schema(
        operation_id="listFlowRuns",
        tags=["flows"],
        auth=rows.READ,
        parameters=[*rows.RUN_FILTERS, rows.CURSOR, rows.LIMIT],
        responses=rows.FlowRunPage,
    )
    def get(self, request: Request) -> Response:
        """Runs, newest first; every filter that is given counts."""
        asked = {name: str(value).replace("\0", "") for name, value in request.query_params.items()}
        found = queries.runs(
            event_id=asked.get("eventId", ""),
            status=asked.get("status", ""),
            flow=asked.get("flowName", ""),
            runner=asked.get("runner", ""),
            attention=asked.get("needsAttention", "") in _TRUE,
        )
        page = paginate(found, keys=("id",), descending=True, cursor=asked.get("cursor"), limit=limit_of(request))
        body = _list("runs", [documents.run_document(run) for run in page.items], page.next_cursor)
        return Response({**body, "eventId": asked["eventId"]} if asked.get("eventId") else body)


class OneRun(Door):
    """One run."""

    @extend_schema(operation_id="getFlowRun", tags=["flows"], auth=rows.READ, responses=rows.FlowRunDocument)
    def get(self, request: Request, run_id: str) -> Response:
        """The run with its attempts and the last of its output: 500 pieces, or a million bytes."""
        return Response({"run": _whole(queries.get_run(run_id))})


class RunCancel(Door):
    """A run that is to stop."""

    rights = {"POST": "may_send"}

    @extend_schema(
        operation_id="cancelFlowRun",
        tags=["flows"],
        auth=rows.SEND,
        request=None,
        responses={200: rows.FlowRunDocument, **refusals(409)},
    )
    def post(self, request: Request, run_id: str) -> Response:
        """Stop it; safe to repeat. 409 when it has ended otherwise."""
        queries.get_run(run_id)
        results.cancel(run_id, who=who(request))
        return Response({"run": _whole(queries.get_run(run_id))})


class RunRedrive(Door):
    """A run that failed or was canceled, to be tried once more."""

    rights = {"POST": "may_send"}

    @extend_schema(
        operation_id="redriveFlowRun",
        tags=["flows"],
        auth=rows.SEND,
        request=None,
        responses={202: rows.FlowRunDocument, **refusals(409)},
    )
    def post(self, request: Request, run_id: str) -> Response:
        """Make a new run of the same step for the same event."""
        old = queries.get_run(run_id)
        return Response({"run": _whole(queries.get_run(events.redrive(old.run_id)))}, status=202)


class RunOutput(Door):
    """What a run's step wrote."""

    @extend_schema(
        operation_id="getFlowRunOutput",
        tags=["flows"],
        auth=rows.READ,
        parameters=[OpenApiParameter("after", str), OpenApiParameter("tail", bool), rows.LIMIT],
        responses=rows.FlowOutputPage,
    )
    def get(self, request: Request, run_id: str) -> Response:
        """The pieces behind `?after=`, or with `?tail=true` the last ones; `next` is where to go on.

        An answer ends with the piece that reaches a million bytes, so there may be more although it holds fewer
        pieces than were asked for.
        """
        run, limit = queries.get_run(run_id), limit_of(request, default=queries.TAIL)
        after = Place.read(request.query_params.get("after", ""))
        is_tail = request.query_params.get("tail", "") in _TRUE
        pieces = queries.output_tail(run, limit=limit) if is_tail else queries.output_after(run, after, limit=limit)
        last = Place(attempt=pieces[-1].attempt.number, seq=pieces[-1].seq) if pieces else after
        return Response(
            {
                "output": [documents.output_document(piece) for piece in pieces],
                "next": str(last),
                "isFinal": run.status in FINAL,
            }
        )


def _whole(run: FlowRun) -> dict[str, Any]:
    return documents.whole_run(run, run.attempts.order_by("number"), queries.output_tail(run))


def _dispatched(done: Dispatch, *, wait: bool) -> Response:
    if wait:
        waiting.until(lambda: _all_ended(done.run_ids), wait_ms=MAX_WAIT_MS)
    event = FlowEvent.objects.get(event_id=done.event_id)
    runs = FlowRun.objects.filter(run_id__in=done.run_ids).select_related("event").order_by("pk")
    body = {
        "status": done.status,
        "eventId": done.event_id,
        "runIds": list(done.run_ids),
        "matched": done.matched,
        "idempotent": done.status == "duplicate",
        "missed": list(done.missed),
        "event": documents.event_document(event),
        "runs": [documents.run_document(run) for run in runs],
    }
    return Response(body, status=202)


def _all_ended(run_ids: tuple[str, ...]) -> bool:
    return not FlowRun.objects.filter(run_id__in=run_ids).exclude(status__in=FINAL).exists()


def _list(name: str, rows: list[dict[str, Any]], cursor: str | None) -> dict[str, Any]:
    return {name: rows, "nextCursor": cursor} if cursor else {name: rows}
