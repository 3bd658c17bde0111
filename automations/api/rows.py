"""What standing orders have in common on the wire."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from automations.models import Firing
from automations.words import explain
from core.api.fields import Count, EpochMs, StrictRequest, Text, TextOrNull, Usd
from core.api.paging import paginate, read_limit

PAGING = [
    OpenApiParameter("limit", int, description="1 to 100; 20 unless given."),
    OpenApiParameter("cursor", str, description="nextCursor of the page before."),
]
Char, Int = serializers.CharField, serializers.IntegerField


class Reason(serializers.Serializer[Any]):
    """A code in words."""

    code = Char()
    message = Char()
    remediation = Char()
    retryable = serializers.BooleanField()


def reason(code: str) -> dict[str, Any] | None:
    """The JSON of a Reason; None where there is nothing to explain."""
    if not code:
        return None
    fault = explain(code)
    return {"code": code, "message": fault.message, "remediation": fault.remediation, "retryable": fault.retryable}


class StandingRow(serializers.Serializer[Any]):
    """A standing order."""

    name = Char()
    slug = Char(help_text="Of the recipe.")
    version = Int(allow_null=True, help_text="Null: the newest.")
    mode = Char()
    inputs = serializers.JSONField(help_text="What every run is given.")
    maxUsd = Usd(source="run_cap_usd", allow_null=True, help_text="For one run.")
    userId = serializers.SerializerMethodField(help_text="Whose runs they are.")
    madeBy = Char(source="made_by")
    createdAt = EpochMs(source="created_at")

    def get_userId(self, order: Any) -> str:  # noqa: N802 (the wire's word)
        """As runs name their owner."""
        return str(order.owner_id)


class StandingForm(StrictRequest):
    """What may be said about any standing order."""

    name = Text(required=False, allow_blank=True, max_length=80, help_text="What you call it.")
    slug = Text(max_length=64, help_text="Of a recipe in the catalogue.")
    version = Count(required=False, allow_null=True, min_value=1, max_value=2**31 - 1, help_text="None: the newest.")
    inputs = serializers.DictField(required=False, help_text="What every run is given.")
    mode = serializers.ChoiceField(choices=["mock", "live"], required=False, help_text="Default mock.")
    maxUsd = Usd(required=False, allow_null=True, help_text="What one run may cost. Live needs it.")


class FiringRow(serializers.Serializer[Any]):
    """One time that a run was begun, or should have been."""

    status = Char(help_text="due, started, done, failed, canceled, refused, skipped or missed.")
    error = TextOrNull()
    errorDetail = serializers.SerializerMethodField()
    dueAt = EpochMs(source="due_at")
    times = Int(help_text="Of missed: how many due times, from dueAt on.")
    number = Int(allow_null=True, help_text="A batch's row, from 1.")
    line = Int(allow_null=True, help_text="Where that stands in its file.")
    inputs = serializers.JSONField(help_text="Beside those of the standing order.")
    runId = serializers.SerializerMethodField()
    runStatus = serializers.SerializerMethodField(help_text="Of the run as it stands now.")
    costUsd = serializers.SerializerMethodField()
    beganAt = EpochMs(source="begun_at", allow_null=True)
    endedAt = EpochMs(source="ended_at", allow_null=True)

    @extend_schema_field(Reason(allow_null=True))
    def get_errorDetail(self, firing: Firing) -> dict[str, Any] | None:  # noqa: N802
        """The code in words."""
        return reason(firing.error)

    @extend_schema_field({"type": ["string", "null"]})
    def get_runId(self, firing: Firing) -> str | None:  # noqa: N802
        """None where there is no run, or not any more."""
        return firing.run.run_id if firing.run else None

    @extend_schema_field({"type": ["string", "null"]})
    def get_runStatus(self, firing: Firing) -> str | None:  # noqa: N802
        """None as above."""
        return firing.run.status if firing.run else None

    @extend_schema_field({"type": ["number", "null"], "format": "double"})
    def get_costUsd(self, firing: Firing) -> float | None:  # noqa: N802
        """None as above."""
        return float(firing.run.cost_usd) if firing.run else None


class FiringPage(serializers.Serializer[Any]):
    """Some firings."""

    firings = FiringRow(many=True)
    nextCursor = Char(allow_null=True)


def page_of(request: Request, rows: QuerySet[Any], *, name: str, row: type[serializers.Serializer[Any]]) -> Response:
    """A page of standing orders, newest first."""
    page = paginate(rows, keys=("id",), descending=True, **_asked(request))
    return Response({name: row(page.items, many=True).data, "nextCursor": page.next_cursor})


def page_of_firings(
    request: Request, firings: QuerySet[Firing], *, keys: tuple[str, ...], descending: bool
) -> dict[str, Any]:
    """The JSON of a FiringPage."""
    rows = firings.select_related("run").defer("run__source", "run__prompts")
    page = paginate(rows, keys=keys, descending=descending, **_asked(request))
    return {"firings": FiringRow(page.items, many=True).data, "nextCursor": page.next_cursor}


def read(form: StrictRequest, names: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """What was said, by the names that the room below has for it. Raises ValidationError."""
    form.is_valid(raise_exception=True)
    ours = dict(names)
    return {ours.get(name, name): value for name, value in form.validated_data.items()}


def _asked(request: Request) -> dict[str, Any]:
    return {
        "cursor": request.query_params.get("cursor"),
        "limit": read_limit(request.query_params.get("limit")),
    }
