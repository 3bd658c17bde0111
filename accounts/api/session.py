"""/api/session: a browser logs in and out, and anybody asks who they are."""

from typing import Any

from django.contrib.auth import logout
from django.middleware.csrf import get_token
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Caller, CallerRefused, Scope
from accounts.logins import log_in
from accounts.models import ApiToken
from core.api.fields import StrictRequest, Text
from core.api.openapi import OPEN


class UserRow(serializers.Serializer[Any]):
    """Somebody with an account."""

    userId = serializers.SerializerMethodField()
    name = serializers.CharField(source="username")
    isStaff = serializers.BooleanField(source="is_staff")

    def get_userId(self, user: Any) -> str:  # noqa: N802 (the wire's word)
        """As runs name their owner."""
        return str(user.pk)


class SessionDocument(serializers.Serializer[Any]):
    """Who is calling, and what they may do."""

    user = UserRow(allow_null=True, help_text="Null: nobody whom we know.")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=[str(scope) for scope in Scope]))
    keyPrefix = serializers.CharField(allow_null=True, help_text="Of the API key that was shown.")
    csrfToken = serializers.CharField(
        allow_null=True, help_text="A browser sends it as X-CSRFToken with whatever is not a GET. Null for a key."
    )


class LoginForm(StrictRequest):
    """Who one is."""

    username = Text(max_length=150)
    password = Text(max_length=1024, write_only=True)


class Session(APIView):
    """The caller's session."""

    @extend_schema(operation_id="getSession", auth=OPEN, responses=SessionDocument)
    def get(self, request: Request) -> Response:
        """Who is calling; it needs no login."""
        return _told(request, caller_of(request))

    @extend_schema(operation_id="logIn", auth=OPEN, request=LoginForm, responses=SessionDocument)
    def post(self, request: Request) -> Response:
        """Log in by name and password. The session gets a new key and a new CSRF token."""
        _refuse_forged(request)
        read = LoginForm(data=request.data)
        read.is_valid(raise_exception=True)
        request.user = log_in(request._request, **read.validated_data)
        return _told(request, caller_of(request))

    @extend_schema(operation_id="logOut", auth=OPEN, request=None, responses={204: None})
    def delete(self, request: Request) -> Response:
        """Log out: the session is gone. Without one nothing happens."""
        _refuse_forged(request)
        logout(request._request)
        return Response(status=204)


def _refuse_forged(request: Request) -> None:
    """A page elsewhere must not log its visitor in as somebody, or out. Raises CallerRefused for an API key."""
    if isinstance(request.auth, ApiToken):
        raise CallerRefused("A key has no session; DELETE /api/keys/{prefix} revokes it.")
    SessionAuthentication().enforce_csrf(request)


def _told(request: Request, caller: Caller) -> Response:
    key = request.auth.prefix if isinstance(request.auth, ApiToken) else None
    body = {
        "user": UserRow(caller.user).data if caller.user is not None else None,
        "scopes": sorted(caller.scopes),
        "keyPrefix": key,
        "csrfToken": None if key else get_token(request._request),
    }
    return Response(body, headers={"Cache-Control": "no-store"})
