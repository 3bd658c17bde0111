"""/api/notifications: of what the caller is told by mail, and the link in each mail that ends it."""

from typing import Any

from django.conf import settings
from django.core.signing import BadSignature
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Caller, Scope
from core.api.fields import StrictRequest
from core.api.openapi import refusals
from notifications import wishes
from notifications.events import MAILED
from notifications.mailing import owner_of


class WishForm(StrictRequest):
    """Of what the caller wants to be told by mail."""

    mailOn = serializers.ListField(
        child=serializers.ChoiceField(choices=list(MAILED)), help_text="Empty: of nothing.", max_length=len(MAILED)
    )


class WishDocument(serializers.Serializer[Any]):
    """What is sent to the caller, and where."""

    mailOn = serializers.ListField(child=serializers.CharField())
    address = serializers.CharField(allow_null=True, help_text="The account's; null: it has none.")
    isAvailable = serializers.BooleanField(help_text="Whether this server sends mail at all.")


class MailWishes(APIView):
    """The caller's wishes."""

    @extend_schema(operation_id="getNotifications", responses=WishDocument)
    def get(self, request: Request) -> Response:
        """Nothing is sent until it is asked for."""
        return Response(_document(caller_of(request)))

    @extend_schema(operation_id="setNotifications", request=WishForm, responses={200: WishDocument, **refusals(409)})
    def put(self, request: Request) -> Response:
        """From now on, mail of these and of nothing else. 409 where no mail can be sent."""
        caller = caller_of(request)
        caller.require(Scope.RUN)
        read = WishForm(data=request.data)
        read.is_valid(raise_exception=True)
        wishes.wish(caller, read.validated_data["mailOn"])
        return Response(_document(caller))


@csrf_exempt  # whoever has the link may press it: mail programs do, with a POST of their own
@require_http_methods(["GET", "POST"])
def stop_mail(request: HttpRequest, token: str) -> HttpResponse:
    """No more mail. It asks first, since mail programs follow links to look at them."""
    try:
        owner_pk = owner_of(token)
    except BadSignature:
        return _page(request, "This link is not whole.", status=404)
    if request.method != "POST":
        return _page(request, "Shall we send you no more mail about runs?", asks=True)
    wishes.stop(owner_pk)
    return _page(request, "You are told nothing more by mail.")


def _page(request: HttpRequest, title: str, *, asks: bool = False, status: int = 200) -> HttpResponse:
    return render(request, "notifications/stop.html", {"title": title, "asks": asks}, status=status)


def _document(caller: Caller) -> dict[str, Any]:
    return {
        "mailOn": wishes.events_of(caller),
        "address": caller.known_user.email or None,
        "isAvailable": settings.ZAP_MAIL_ON,
    }
