"""The addresses that workers use."""

from collections.abc import Sequence
from functools import wraps
from typing import Any

from asgiref.sync import sync_to_async
from django.db import connection
from django.db.transaction import non_atomic_requests
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from core.api.openapi import refusals
from flows import claims, output, results
from flows.api import asks, documents, rows, waiting
from flows.api.door import Door
from flows.leases import Lease, split


class WorkerDoor(Door):
    """Only workers come in."""

    rights = {"POST": "may_work"}


class Claims(WorkerDoor):
    """Runs for a worker."""

    @extend_schema(
        operation_id="claimFlowRuns",
        tags=["flows"],
        auth=rows.READ,
        request=asks.ClaimBody,
        responses={200: rows.FlowClaimed, 204: None},
    )
    def post(self, request: Request) -> Response:
        """Up to `count` runs as `{claims: […]}`; without `count` one run by itself, or 204 when there is none."""
        body = asks.read(asks.ClaimBody, request)
        return Waits(body) if body.get("waitMs") else _claimed(body, _claim(body))


class Waits(Response):
    """Whoever asks so is ready to wait for work."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__()
        self.body = body


_CLAIMS = Claims.as_view()


@non_atomic_requests
@wraps(_CLAIMS)
async def claim(request: HttpRequest) -> HttpResponseBase:
    """The door for claims. Whoever waits holds no thread, and is given nothing once they have hung up."""
    answer = await sync_to_async(_asked)(request)
    if isinstance(answer, Waits):
        body = answer.body
        found = await waiting.for_work(lambda: _claim(body), undo=_give_back, wait_ms=body["waitMs"])
        said = _claimed(body, found)
        answer.data, answer.status_code = said.data, said.status_code
    return answer


class Heartbeat(WorkerDoor):
    """A lease that is to be kept."""

    @extend_schema(
        operation_id="heartbeatFlowAttempt",
        tags=["flows"],
        auth=rows.READ,
        request=asks.HeartbeatBody,
        responses={200: rows.FlowBeat, **refusals(409, 410)},
    )
    def post(self, request: Request, attempt_id: str) -> Response:
        """Until when the lease is held now. 410 when the run was canceled, 409 when the lease is lost."""
        body = asks.read(asks.HeartbeatBody, request)
        until = claims.heartbeat(attempt_id, body["leaseToken"], lasts_ms=body.get("leaseMs"))
        return Response({"status": "running", "leaseExpiresAt": documents.epoch_ms(until)})


class Output(WorkerDoor):
    """What a step writes."""

    @extend_schema(
        operation_id="appendFlowOutput",
        tags=["flows"],
        auth=rows.READ,
        request=asks.OutputBody,
        responses={200: rows.FlowStored, **refusals(409, 410)},
    )
    def post(self, request: Request, attempt_id: str) -> Response:
        """Store pieces in the order of their seq; those that are stored already are passed over."""
        body = asks.read(asks.OutputBody, request)
        stored = output.append(attempt_id, body["leaseToken"], body["output"])
        return Response({"lastSeq": stored.last_seq, "isCut": stored.is_cut})


class Complete(WorkerDoor):
    """A step that came to its end."""

    @extend_schema(
        operation_id="completeFlowAttempt",
        tags=["flows"],
        auth=rows.READ,
        request=asks.CompleteBody,
        responses={200: rows.FlowReported, **refusals(409, 410)},
    )
    def post(self, request: Request, attempt_id: str) -> Response:
        """Store the result; the same one again is answered the same."""
        body = asks.read(asks.CompleteBody, request)
        run_id = results.complete(attempt_id, body["leaseToken"], body["result"])
        return Response({"status": "completed", "runId": run_id})


class Fail(WorkerDoor):
    """A step that broke off."""

    @extend_schema(
        operation_id="failFlowAttempt",
        tags=["flows"],
        auth=rows.READ,
        request=asks.FailBody,
        responses={200: rows.FlowReported, **refusals(409, 410)},
    )
    def post(self, request: Request, attempt_id: str) -> Response:
        """Store the error: the run is failed, or queued where it is tried again."""
        body = asks.read(asks.FailBody, request)
        became = results.fail(attempt_id, body["leaseToken"], body["error"], retry=body.get("retry"))
        return Response({"status": became, "runId": split(attempt_id)[0]})


class Release(WorkerDoor):
    """A run that its worker cannot finish."""

    @extend_schema(
        operation_id="releaseFlowAttempt",
        tags=["flows"],
        auth=rows.READ,
        request=asks.ReleaseBody,
        responses={200: rows.FlowReported, **refusals(409, 410)},
    )
    def post(self, request: Request, attempt_id: str) -> Response:
        """Give it back for others, after a delay where one is asked for."""
        body = asks.read(asks.ReleaseBody, request)
        became = claims.release(attempt_id, body["leaseToken"], delay_ms=body.get("delayMs", 0))
        return Response({"status": became, "runId": split(attempt_id)[0]})


def _claim(body: dict[str, Any]) -> list[Lease]:
    return claims.claim(
        body["workerId"],
        count=body.get("count", 1),
        lasts_ms=body.get("leaseMs"),
        runners=body.get("runners", claims.DEFAULT_RUNNERS),
        flows=body.get("flows"),
        labels=body.get("labels", ()),
    )


def _asked(request: HttpRequest) -> HttpResponseBase:
    answer: HttpResponseBase = _CLAIMS(request)
    if isinstance(answer, Waits) and not connection.in_atomic_block:
        connection.close()
    return answer


def _claimed(body: dict[str, Any], found: Sequence[Lease]) -> Response:
    documented = [documents.lease_document(lease) for lease in found]
    if "count" in body:
        return Response({"claims": documented})
    return Response(documented[0]) if documented else Response(status=204)


def _give_back(found: Sequence[Lease]) -> None:
    for lease in found:
        claims.release(lease.attempt_id, lease.token)
