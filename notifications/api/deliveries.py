"""/api/webhooks/{id}/deliveries: what was told to a receiver, and what came of it."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Scope
from core.api.openapi import refusals
from core.api.paging import PAGING, paginate, read_limit
from notifications import endpoints, trying
from notifications.api.rows import DeliveryPage, DeliveryRow
from notifications.api.webhooks import NothingForm, read
from notifications.models import Delivery


class Deliveries(APIView):
    """What was told to one receiver."""

    @extend_schema(operation_id="listDeliveries", responses=DeliveryPage, parameters=PAGING)
    def get(self, request: Request, hook_id: str) -> Response:
        """Newest first, for as long as they are kept."""
        page = paginate(
            Delivery.objects.filter(endpoint=endpoints.get_endpoint(hook_id, caller_of(request))),
            keys=("id",),
            descending=True,
            cursor=request.query_params.get("cursor"),
            limit=read_limit(request.query_params.get("limit")),
        )
        return Response({"deliveries": DeliveryRow(page.items, many=True).data, "nextCursor": page.next_cursor})


class ResendDelivery(APIView):
    """One of them once more."""

    @extend_schema(
        operation_id="resendDelivery",
        request=NothingForm,
        responses={202: DeliveryRow, **refusals(409)},
        parameters=[OpenApiParameter("event_id", str, OpenApiParameter.PATH)],
    )
    def post(self, request: Request, hook_id: str, event_id: str) -> Response:
        """Send it again within seconds, under the same id. 409 where it is on its way, or the receiver is off."""
        endpoint = endpoints.get_endpoint(hook_id, caller_of(request), scope=Scope.RUN)
        read(NothingForm, request)
        return Response(DeliveryRow(trying.resend(endpoint, event_id)).data, status=202)
