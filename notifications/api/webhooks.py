"""/api/webhooks: who is told of the caller's runs."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Scope
from core.api.fields import Flag, StrictRequest, Text
from core.api.openapi import refusals
from core.api.paging import PAGING, paginate, read_limit
from notifications import endpoints, trying
from notifications.api.rows import DeliveryRow, ShownWebhookRow, WebhookPage, WebhookRow
from notifications.events import EVENTS
from notifications.models import Endpoint


class WebhookForm(StrictRequest):
    """A receiver."""

    url = Text(max_length=2000, help_text="Over https, to a public name.")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=list(EVENTS)), required=False, help_text="Without it, all."
    )
    description = Text(max_length=200, required=False, allow_blank=True, help_text="What you call it.")


class WebhookChange(WebhookForm):
    """What is to be different of it."""

    url = Text(max_length=2000, required=False, help_text="Over https, to a public name.")
    isOn = Flag(required=False, source="is_on", help_text="False: it is told nothing, and what waits for it ends.")


class NothingForm(StrictRequest):
    """Nothing needs to be said."""


class Webhooks(APIView):
    """The caller's receivers."""

    @extend_schema(
        operation_id="listWebhooks",
        responses=WebhookPage,
        parameters=[OpenApiParameter("runId", str, description="Those of that run alone."), *PAGING],
    )
    def get(self, request: Request) -> Response:
        """Newest first; staff see everybody's."""
        page = paginate(
            endpoints.endpoints_of(
                caller_of(request), run_id=request.query_params.get("runId", "").replace("\0", "")
            ).select_related("run"),
            keys=("id",),
            descending=True,
            cursor=request.query_params.get("cursor"),
            limit=read_limit(request.query_params.get("limit")),
        )
        return Response({"webhooks": WebhookRow(page.items, many=True).data, "nextCursor": page.next_cursor})

    @extend_schema(operation_id="createWebhook", request=WebhookForm, responses={201: ShownWebhookRow, **refusals(409)})
    def post(self, request: Request) -> Response:
        """A new receiver of all of the caller's runs; its secret is shown this once."""
        caller = caller_of(request)
        caller.require(Scope.RUN)
        endpoint, plain = endpoints.add(caller, **read(WebhookForm, request))
        return _shown(endpoint, plain, status=201)


class Webhook(APIView):
    """One receiver."""

    @extend_schema(operation_id="getWebhook", responses=WebhookRow)
    def get(self, request: Request, hook_id: str) -> Response:
        """The receiver, without its secret."""
        return Response(WebhookRow(endpoints.get_endpoint(hook_id, caller_of(request))).data)

    @extend_schema(operation_id="changeWebhook", request=WebhookChange, responses=WebhookRow)
    def patch(self, request: Request, hook_id: str) -> Response:
        """Change what is given. Turned on again, it begins anew."""
        endpoint = endpoints.get_endpoint(hook_id, caller_of(request), scope=Scope.RUN)
        endpoints.change(endpoint, read(WebhookChange, request))
        return Response(WebhookRow(endpoint).data)

    @extend_schema(operation_id="deleteWebhook", responses={204: None})
    def delete(self, request: Request, hook_id: str) -> Response:
        """It is told nothing more, and what was told to it is forgotten."""
        endpoints.get_endpoint(hook_id, caller_of(request), scope=Scope.RUN).delete()
        return Response(status=204)


class RotateWebhook(APIView):
    """A secret that changes."""

    @extend_schema(operation_id="rotateWebhook", request=NothingForm, responses=ShownWebhookRow)
    def post(self, request: Request, hook_id: str) -> Response:
        """A new secret, shown this once; for a day the old one signs beside it."""
        endpoint = endpoints.get_endpoint(hook_id, caller_of(request), scope=Scope.RUN)
        read(NothingForm, request)
        return _shown(endpoint, endpoints.rotate(endpoint), status=200)


class TestWebhook(APIView):
    """A receiver that is tried."""

    @extend_schema(operation_id="testWebhook", request=NothingForm, responses=DeliveryRow)
    def post(self, request: Request, hook_id: str) -> Response:
        """Send it a webhook.test at once, and say what came of it. It is not tried again."""
        endpoint = endpoints.get_endpoint(hook_id, caller_of(request), scope=Scope.RUN)
        read(NothingForm, request)
        return Response(DeliveryRow(trying.try_out(endpoint)).data)


def read(form: type[StrictRequest], request: Request) -> dict[str, Any]:
    """The body. Raises ValidationError."""
    said = form(data=request.data)
    said.is_valid(raise_exception=True)
    values: dict[str, Any] = said.validated_data
    return values


def _shown(endpoint: Endpoint, plain: str, *, status: int) -> Response:
    row = ShownWebhookRow(endpoint, context={"secret": plain}).data
    return Response(row, status=status, headers={"Cache-Control": "no-store"})
