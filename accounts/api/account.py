"""/api/account: take out what is held of one's account, choose how long runs are kept, delete it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, Any

from django.contrib.auth import logout
from django.core.handlers.asgi import ASGIRequest
from django.http import StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import rates, retention
from accounts.api.auth import caller_of
from accounts.caller import Caller, Scope
from accounts.leaving import departing, export
from accounts.models import ApiToken
from core.api.fields import Count, EpochMs, StrictRequest, Text
from core.api.links import public_url
from core.api.openapi import OPEN, refusals
from core.errors import BadInput, Problem, Refused

_EXPORTS_A_MINUTE = 2
_CHUNK = 128 * 1024


class TooManyExports(Refused):
    """Somebody takes out everything again and again."""

    code = "TOO_MANY_EXPORTS"
    title = "Too many exports."
    status = 429
    retryable = True
    remediation = "Wait as long as Retry-After says."


class PasswordWrong(Refused):
    """It is not the account's."""

    code = "PASSWORD_WRONG"
    title = "The password is wrong."
    status = 403
    remediation = "Send the account's password, or use an API key with the scope account."


class LeaveForm(StrictRequest):
    """That one means it."""

    confirm = Text(max_length=150, help_text="The account's name, typed out.")
    password = Text(
        max_length=1024, required=False, write_only=True, help_text="Of whoever is logged in; a key needs none."
    )


class DepartureRow(serializers.Serializer[Any]):
    """How far the deletion of an account is."""

    state = serializers.SerializerMethodField(help_text="deleting, or deleted.")
    waitsFor = serializers.ListField(source="waits_for", child=serializers.CharField(), help_text="In sentences.")
    askedAt = EpochMs(source="asked_at")
    doneAt = EpochMs(source="done_at", allow_null=True)

    def get_state(self, departure: Any) -> str:
        """Whether anything is left."""
        return "deleting" if departure.done_at is None else "deleted"


class BegunDeparture(DepartureRow):
    """The same, with its receipt, this once."""

    receipt = serializers.SerializerMethodField(help_text="It is not shown again.")
    receiptUrl = serializers.SerializerMethodField(help_text="Where to see how far it is; it needs no login.")

    def get_receipt(self, departure: Any) -> str:
        """What opens its address."""
        return str(self.context["receipt"])

    def get_receiptUrl(self, departure: Any) -> str:  # noqa: N802 (the wire's word)
        """With the receipt."""
        return public_url(f"/api/account/departure?token={self.context['receipt']}")


class RetentionRow(serializers.Serializer[Any]):
    """For how many days after their end the caller's runs are kept. Null: for ever."""

    days = serializers.IntegerField(allow_null=True, help_text="As the caller chose.")
    mostDays = serializers.IntegerField(source="most_days", allow_null=True, help_text="As the operator says.")
    effectiveDays = serializers.IntegerField(source="effective_days", allow_null=True, help_text="What counts.")


class RetentionForm(StrictRequest):
    """How long."""

    days = Count(allow_null=True, help_text="From 1 to mostDays; null: as long as the operator keeps them.")


class Account(APIView):
    """The caller's account."""

    @extend_schema(operation_id="deleteAccount", request=LeaveForm, responses={202: BegunDeparture, **refusals(409)})
    def delete(self, request: Request) -> Response:
        """Delete it: runs, files, keys, secrets, drafts. What it cost stays, under a number.

        Nothing opens it from now on. What runs is canceled, and waited for: the receipt says how far that is.
        """
        caller = _own(request)
        said = LeaveForm(data=request.data)
        said.is_valid(raise_exception=True)
        user = caller.known_user
        if said.validated_data["confirm"] != user.get_username():
            message = "confirm is the account's name, exactly."
            raise BadInput(message, problems=[Problem(code="NOT_CONFIRMED", message=message, path="confirm")])
        if not isinstance(request.auth, ApiToken):
            _check_password(user, said.validated_data.get("password", ""))
        departure, receipt = departing.depart(user.pk, asked_by=caller.principal_id)
        if hasattr(request._request, "session"):
            logout(request._request)
        row = BegunDeparture(departure, context={"receipt": receipt}).data
        return Response(row, status=202, headers={"Cache-Control": "no-store"})


class DepartureView(APIView):
    """An account that leaves, to whoever has the receipt."""

    @extend_schema(
        operation_id="getDeparture",
        auth=OPEN,
        responses={200: DepartureRow, **refusals(404)},
        parameters=[OpenApiParameter("token", str, description="The receipt.")],
    )
    def get(self, request: Request) -> Response:
        """What it still waits for."""
        departure = departing.find(request.query_params.get("token", ""))
        return Response(DepartureRow(departure).data, headers={"Cache-Control": "no-store"})


class RetentionView(APIView):
    """How long the caller's runs are kept."""

    @extend_schema(operation_id="getRetention", responses=RetentionRow)
    def get(self, request: Request) -> Response:
        """What the caller chose, and what the operator allows."""
        caller = caller_of(request)
        caller.require(Scope.READ)
        return Response(RetentionRow(retention.kept_by(caller.known_user)).data)

    @extend_schema(operation_id="setRetention", request=RetentionForm, responses=RetentionRow)
    def put(self, request: Request) -> Response:
        """From now on. What is older already is deleted within minutes, unless it is marked to be kept."""
        caller = _own(request)
        said = RetentionForm(data=request.data)
        said.is_valid(raise_exception=True)
        return Response(RetentionRow(retention.choose(caller.known_user, said.validated_data["days"])).data)


class Export(APIView):
    """Everything that is held of the caller."""

    @extend_schema(operation_id="exportAccount", responses={(200, "application/zip"): OpenApiTypes.BINARY})
    def get(self, request: Request) -> StreamingHttpResponse:
        """A ZIP of JSON Lines; of secrets only that there are some. Pictures and films are named by their addresses."""
        caller = _own(request)
        user = caller.known_user
        if wait := rates.wait_s(f"export:user:{user.pk}", per_minute=_EXPORTS_A_MINUTE):
            raise TooManyExports(retryAfterS=wait)
        packed = tempfile.TemporaryFile(prefix="zaps-export-")
        try:
            export.write(user.pk, packed)
            size = packed.tell()
            packed.seek(0)
        except BaseException:
            packed.close()
            raise
        read = _read_async if isinstance(request._request, ASGIRequest) else _read
        headers = {
            "Content-Disposition": 'attachment; filename="zaps-account.zip"',
            "Content-Length": str(size),
            "Cache-Control": "no-store",
        }
        return _FileStream(read(packed), packed, content_type="application/zip", headers=headers)


class _FileStream(StreamingHttpResponse):
    """A file that is sent. Whoever serves it closes it, also when not a byte was sent."""

    def __init__(self, chunks: Iterator[bytes] | AsyncIterator[bytes], file: IO[bytes], **kwargs: Any) -> None:
        super().__init__(chunks, **kwargs)
        self._file = file

    def close(self) -> None:
        """Close the file too."""
        super().close()
        self._file.close()


def _own(request: Request) -> Caller:
    caller = caller_of(request)
    caller.require(Scope.ACCOUNT)
    return caller


def _check_password(user: Any, password: str) -> None:
    """Whoever has none of their own, since somebody else lets them in, confirms by name alone."""
    if wait := rates.wait_s(f"leave:user:{user.pk}", per_minute=5):
        raise TooManyExports("Too many tries.", retryAfterS=wait)
    if user.has_usable_password() and not user.check_password(password):
        raise PasswordWrong


def _read(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_CHUNK):
        yield chunk


async def _read_async(file: IO[bytes]) -> AsyncIterator[bytes]:
    while chunk := await asyncio.to_thread(file.read, _CHUNK):
        yield chunk
