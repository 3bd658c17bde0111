"""POST /api/providers/poll/drain: an outside scheduler's way to run one cycle of the drain."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.api.bearer import is_secret, shows
from core.errors import BadInput, Problem, Refused
from runs.engine.drain import run_alone

MAX_WINDOW_S = 25.0
_HEADER = "x-zap-cron-secret"
_AUTH: Any = [{"drainSecret": []}]


class SecretRefused(Refused):
    """The drain's secret is missing or wrong."""

    code = "DRAIN_SECRET_REFUSED"
    title = "The drain's secret is missing or wrong."
    status = 401
    remediation = "Send ZAP_POLL_DRAIN_SECRET in x-zap-cron-secret or as `Authorization: Bearer`."


class DrainDocument(serializers.Serializer[Any]):
    """What one cycle did."""

    processedCount = serializers.IntegerField()
    errorCount = serializers.IntegerField()
    status = serializers.CharField(help_text="success, partial or failed.")
    results = serializers.ListField(child=serializers.DictField(), help_text="The first hundred.")


class Drain(APIView):
    """One cycle of the drain. The secret is the only key: callers' tokens open nothing here."""

    authentication_classes = ()
    permission_classes = (AllowAny,)
    throttle_classes = ()

    @extend_schema(
        operation_id="drain",
        auth=_AUTH,
        request=None,
        responses=DrainDocument,
        parameters=[
            OpenApiParameter(
                "window_s",
                {"type": "number", "minimum": 0, "maximum": MAX_WINDOW_S, "default": 0},
                description="How long to go on, in seconds; 0 is one pass.",
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Begin and poll whatever is due, and ring for whatever is left lying."""
        _check_secret(request)
        report = run_alone(window_s=_read_window(request), job_name="endpoint")
        return Response({
            "processedCount": report.processed,
            "errorCount": report.errors,
            "status": report.status,
            "results": list(report.results)[:100],
        })  # fmt: skip


def _check_secret(request: Request) -> None:
    """Raises SecretRefused. Without a secret the door is open in DEBUG only."""
    secret = str(settings.ZAP_POLL_DRAIN_SECRET or "")
    if not secret:
        if not settings.DEBUG:
            raise SecretRefused("The drain's endpoint is closed: ZAP_POLL_DRAIN_SECRET is not set.")
        return
    shown = request.headers.get(_HEADER)
    opens = shows(request.headers.get("Authorization", ""), secret) if shown is None else is_secret(shown, secret)
    if not opens:
        raise SecretRefused


def _read_window(request: Request) -> float:
    text = request.query_params.get("window_s", "0")
    try:
        window = float(text)
    except ValueError:
        window = -1.0
    if not 0 <= window <= MAX_WINDOW_S:  # NaN is refused too
        sentence = f"window_s is a number of seconds from 0 to {MAX_WINDOW_S:.0f}."
        raise BadInput(sentence, problems=[Problem(code="PARAMETER_INVALID", message=sentence, path="window_s")])
    return window
