"""/api/keys: keys for programs. One is shown once, when it is made or rotated."""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import keys
from accounts.api.auth import caller_of
from accounts.caller import Scope
from accounts.models import ApiToken
from core.api.fields import Count, EpochMs, StrictRequest, Text
from core.api.openapi import refusals
from core.api.paging import PAGING, paginate, read_limit

_SCOPES = [str(scope) for scope in Scope]
_MOST_DAYS, _MOST_OVERLAP_S = 3650, 7 * 86_400


class KeyRow(serializers.Serializer[Any]):
    """An API key, without what opens doors."""

    prefix = serializers.CharField(help_text="Its first characters, by which it is known.")
    name = serializers.CharField()
    userId = serializers.SerializerMethodField()
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=_SCOPES))
    state = serializers.SerializerMethodField(help_text="live, expired or revoked.")
    createdAt = EpochMs(source="created_at")
    expiresAt = EpochMs(source="expires_at", allow_null=True)
    lastUsedAt = EpochMs(source="last_used_at", allow_null=True, help_text="To the minute.")
    rotatedAt = EpochMs(source="rotated_at", allow_null=True)
    oldUntil = EpochMs(source="old_until", allow_null=True, help_text="Until then what it was before opens doors too.")
    revokedAt = EpochMs(source="revoked_at", allow_null=True)

    def get_userId(self, key: ApiToken) -> str:  # noqa: N802 (the wire's word)
        """Whose it is."""
        return str(key.owner_id)

    def get_state(self, key: ApiToken) -> str:
        """Whether it opens doors now."""
        if key.revoked_at is not None:
            return "revoked"
        return "live" if key.is_live(at=timezone.now()) else "expired"


class ShownKeyRow(KeyRow):
    """A key with its token, this once."""

    token = serializers.SerializerMethodField(help_text="Keep it: it is not shown again.")

    def get_token(self, key: ApiToken) -> str:
        """What opens doors."""
        return str(self.context["token"])


class KeyPage(serializers.Serializer[Any]):
    """Some keys, newest first."""

    keys = KeyRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class KeyForm(StrictRequest):
    """A key that is wanted."""

    name = Text(max_length=80, help_text="What you call it.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=_SCOPES), required=False, allow_empty=False,
        help_text="What it may be used for; without it, all that the caller may.",
    )  # fmt: skip
    expiresInDays = Count(
        required=False, allow_null=True, min_value=1, max_value=_MOST_DAYS,
        help_text="None: it lasts as long as the key that makes it, else until it is revoked.",
    )  # fmt: skip


class RotateForm(StrictRequest):
    """How to go over from the old to the new."""

    overlapS = Count(
        required=False, min_value=0, max_value=_MOST_OVERLAP_S,
        help_text="For how many seconds the old one goes on opening doors; 0 unless given.",
    )  # fmt: skip


class Keys(APIView):
    """The caller's keys."""

    @extend_schema(
        operation_id="listKeys",
        responses=KeyPage,
        parameters=PAGING,
    )
    def get(self, request: Request) -> Response:
        """Newest first, those that ended too; staff see everybody's."""
        page = paginate(
            keys.keys_of(caller_of(request)),
            keys=("id",),
            descending=True,
            cursor=request.query_params.get("cursor"),
            limit=read_limit(request.query_params.get("limit")),
        )
        return Response({"keys": KeyRow(page.items, many=True).data, "nextCursor": page.next_cursor})

    @extend_schema(operation_id="createKey", request=KeyForm, responses={201: ShownKeyRow})
    def post(self, request: Request) -> Response:
        """A new key, shown this once. It has no scope that the caller does not have, and ends no later."""
        caller = caller_of(request)
        caller.require(Scope.KEYS)
        said = _read(KeyForm, request)
        days = said.get("expiresInDays")
        lasts = None if days is None else timedelta(days=days)
        key, plain = keys.make_key(caller, said["name"], said.get("scopes"), lasts=lasts, at=timezone.now())
        return _shown(key, plain, status=201)


class Key(APIView):
    """One key."""

    @extend_schema(operation_id="getKey", responses=KeyRow)
    def get(self, request: Request, prefix: str) -> Response:
        """The key, without what opens doors."""
        return Response(KeyRow(keys.get_key(prefix, caller_of(request))).data)

    @extend_schema(operation_id="revokeKey", responses={204: None})
    def delete(self, request: Request, prefix: str) -> Response:
        """Revoke it: it opens nothing from now on, for good. It stays in the list."""
        keys.revoke_key(prefix, caller_of(request))
        return Response(status=204)


class RotateKey(APIView):
    """A key that changes."""

    @extend_schema(operation_id="rotateKey", request=RotateForm, responses={200: ShownKeyRow, **refusals(409)})
    def post(self, request: Request, prefix: str) -> Response:
        """The same key with a new token, shown this once. 409 when it has ended, or somebody else was first."""
        caller = caller_of(request)
        held = keys.get_key(prefix, caller)
        overlap = timedelta(seconds=_read(RotateForm, request).get("overlapS", 0))
        key, plain = keys.rotate_key(held, caller, overlap=overlap, at=timezone.now())
        return _shown(key, plain, status=200)


def _shown(key: ApiToken, plain: str, *, status: int) -> Response:
    row = ShownKeyRow(key, context={"token": plain}).data
    return Response(row, status=status, headers={"Cache-Control": "no-store"})


def _read(form: type[StrictRequest], request: Request) -> dict[str, Any]:
    read = form(data=request.data)
    read.is_valid(raise_exception=True)
    said: dict[str, Any] = read.validated_data
    return said
