"""What callers may ask in the address, and what workers may say in the body."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from core.api.fields import Count, Flag, StrictRequest, Text
from flows.claims import MAX_BATCH
from flows.states import Runner

DEFAULT_LIMIT, MAX_LIMIT = 50, 500
MAX_WAIT_MS = 25_000


def limit_of(request: Request, *, default: int = DEFAULT_LIMIT) -> int:
    """How many rows are wanted: 50 where nobody says, says 0 or says no number; else brought into 1..500."""
    try:
        wanted = int(float(request.query_params.get("limit", "")))
    except (ValueError, OverflowError):
        return default
    return default if wanted == 0 else min(max(wanted, 1), MAX_LIMIT)


class Held(StrictRequest):
    """What every report of a worker carries."""

    leaseToken = Text(max_length=200)


class ClaimBody(StrictRequest):
    """Which runs a worker wants."""

    workerId = Text(max_length=200)
    count = Count(
        required=False, min_value=1, max_value=MAX_BATCH, help_text="One, as an object of its own, if absent."
    )
    leaseMs = serializers.FloatField(required=False, help_text="Brought into 10,000 to 1,800,000.")
    runners = serializers.ListField(
        child=serializers.ChoiceField(sorted(map(str, Runner))), required=False, allow_empty=False
    )
    flows = serializers.ListField(child=Text(max_length=200), required=False, max_length=200)
    labels = serializers.ListField(child=Text(max_length=100), required=False, max_length=100)
    waitMs = Count(required=False, min_value=0, max_value=MAX_WAIT_MS)


class HeartbeatBody(Held):
    """A worker that is still at it."""

    leaseMs = serializers.FloatField(required=False)


class OutputBody(Held):
    """Pieces of output: `{seq, kind, text}`."""

    output = serializers.ListField(child=serializers.DictField())


class CompleteBody(Held):
    """What a step found."""

    result = serializers.JSONField(allow_null=True)


class FailBody(Held):
    """Why a step failed."""

    error = Text(max_length=100_000, allow_blank=True)
    retry = Flag(required=False, help_text="Whether to try again; as the manifest says, if absent.")


class ReleaseBody(Held):
    """A run that is given back."""

    delayMs = Count(required=False, min_value=0, max_value=86_400_000)


def body_of(request: Request) -> dict[str, Any]:
    """The body, which the parser saw to be an object."""
    return dict(request.data)


def read(kind: type[StrictRequest], request: Request) -> dict[str, Any]:
    """The body's values. Raises ValidationError."""
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    values: dict[str, Any] = body.validated_data
    return values
