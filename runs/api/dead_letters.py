"""/api/dead-letters: what failed for good, and making it go on. Staff only."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Scope
from core.api.fields import EpochMs, StrictRequest, Text, TextOrNull, Usd
from core.api.filters import moment, parameters, read_filters, text
from core.api.paging import PAGING, paginate, read_limit
from runs.api.rows import PROVIDER_MODES, Char, Failable
from runs.dead_letters import BULKY, MAX_AT_ONCE, Outcome, redrive, spends_money
from runs.models import DeadLetter

_FILTERS = (
    text("zapSlug", "run__zap_slug", hint="a slug", about="Of that recipe."),
    text("provider", "provider", hint="a provider's name", about="At that provider."),
    moment("since", "finished_at__gte", about="Failed then or later, in milliseconds since 1970."),
)


class DeadLetterRow(Failable):
    """A failed step of a failed run."""

    runId = Char(source="run.run_id")
    stepId = Char(source="step_id")
    zapSlug = Char(source="run.zap_slug")
    providerMode = serializers.ChoiceField(source="run.provider_mode", choices=PROVIDER_MODES)
    userId = serializers.SerializerMethodField()
    kind = Char()
    provider = Char()
    model = TextOrNull()
    costUsd = Usd(source="actual_usd", allow_null=True, help_text="Of all its attempts; null where none was made.")
    failedAt = EpochMs(source="finished_at")

    def get_userId(self, letter: DeadLetter) -> str | None:  # noqa: N802
        """The owner's id; null for a run that nobody owns."""
        return str(letter.run.owner_id) if letter.run.owner_id is not None else None


class DeadLetterPage(serializers.Serializer[Any]):
    """Some dead letters, newest first."""

    deadLetters = DeadLetterRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class RedriveRequest(StrictRequest):
    """Which runs to make go on."""

    runIds = serializers.ListField(child=Text(max_length=40), min_length=1, max_length=MAX_AT_ONCE)
    comment = Text(max_length=2000, required=False, allow_blank=True, help_text="Why; it is kept with the run.")


class RedriveRow(serializers.Serializer[Any]):
    """What became of one run."""

    runId = serializers.CharField()
    stepIds = serializers.ListField(child=serializers.CharField(), help_text="What had failed in it.")
    redriven = serializers.BooleanField()
    error = serializers.CharField(allow_null=True, help_text="Why not, as a code.")
    message = serializers.CharField(allow_null=True, help_text="Why not, in words.")


class RedriveDocument(serializers.Serializer[Any]):
    """What became of each."""

    redrivenCount = serializers.IntegerField()
    results = RedriveRow(many=True)


class DeadLetters(APIView):
    """What failed for good."""

    @extend_schema(
        operation_id="listDeadLetters",
        responses=DeadLetterPage,
        parameters=[*PAGING, *parameters(_FILTERS)],
    )
    def get(self, request: Request) -> Response:
        """The newest first, of everybody."""
        caller_of(request).require_staff()
        page = paginate(
            DeadLetter.objects.defer(*BULKY).filter(**read_filters(request.query_params, _FILTERS)),
            keys=("finished_at", "id"),
            descending=True,
            cursor=request.query_params.get("cursor"),
            limit=read_limit(request.query_params.get("limit")),
        )
        return Response({"deadLetters": DeadLetterRow(page.items, many=True).data, "nextCursor": page.next_cursor})


class Redrive(APIView):
    """Making it go on."""

    @extend_schema(operation_id="redriveDeadLetters", request=RedriveRequest, responses=RedriveDocument)
    def post(self, request: Request) -> Response:
        """What failed in each run is made again within the run's cap; what is refused is told, and stops no other."""
        caller = caller_of(request)
        caller.require_staff()
        caller.require(Scope.RUN)
        body = RedriveRequest(data=request.data)
        body.is_valid(raise_exception=True)
        run_ids, comment = body.validated_data["runIds"], body.validated_data.get("comment", "")
        if spends_money(run_ids):
            caller.require(Scope.LIVE)
        outcomes = redrive(run_ids, actor=caller.principal_id, comment=comment)
        count = sum(outcome.refused is None for outcome in outcomes)
        return Response({"redrivenCount": count, "results": [_row(outcome) for outcome in outcomes]})


def _row(outcome: Outcome) -> dict[str, Any]:
    refused = outcome.refused
    return {
        "runId": outcome.run_id,
        "stepIds": list(outcome.step_ids),
        "redriven": refused is None,
        "error": refused and refused.code,
        "message": refused and refused.detail,
    }
