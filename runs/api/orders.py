"""POST /api/zaps/run and POST /api/zaps/{slug}/plan: a recipe becomes a plan, or a run."""

from typing import Any, cast

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import idempotency
from accounts.api.auth import caller_of
from accounts.caller import Caller
from accounts.vault.cipher import fingerprint
from accounts.vault.sets import blinded, read_sets
from core.api.fields import Count, Flag, ProblemRow, StrictRequest, Text, Usd, one_of
from core.api.links import public_url
from core.api.openapi import OPEN, refusals
from core.api.parsers import MediaJsonObjectParser
from runs.api.examples import ORDERS
from runs.api.keyed import KEY, LOCATION, answer_once
from runs.heralds import CALLBACK_EVENTS, Callback
from runs.order import Draft, Mode, Order, admit, draft, keep_media, place
from zaps.document import money, plan_document, step_row, warnings
from zaps.planned import Plan

MAX_EXTEND = 64


class PlanRequest(StrictRequest):
    """What may be said about a plan of a recipe in the catalogue."""

    version = Count(required=False, allow_null=True, min_value=1, max_value=2**31 - 1, help_text="None: the newest.")
    inputs = serializers.DictField(
        required=False, help_text="By the names that the recipe declares; media as https or data: URIs."
    )
    extendCount = Count(
        required=False,
        allow_null=True,
        min_value=0,
        max_value=MAX_EXTEND,
        help_text="How often repeatable steps repeat; None: as the recipe says.",
    )
    provider = Text(required=False, allow_null=True, max_length=40, help_text="Use this one for every provider step.")
    maxUsd = Usd(required=False, allow_null=True, help_text="Refuse when it would cost more; lowers the recipe's cap.")


class RunWebhook(StrictRequest):
    """Who is told of this run alone."""

    url = Text(max_length=2000, help_text="Over https, to a public name.")
    secret = Text(max_length=100, help_text="What signs for you: whsec_ and 24 to 64 random bytes as base64.")
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=list(CALLBACK_EVENTS)), required=False, help_text="Without it, all."
    )


class RunRequest(PlanRequest):
    """A recipe, by slug or by text, and what to do with it."""

    slug = Text(required=False, max_length=64, help_text="Of a recipe in the catalogue.")
    source = Text(required=False, help_text="Or the text of a Zap.md.")  # type: ignore[assignment]
    prompts = serializers.DictField(
        child=Text(allow_blank=True), required=False, help_text="Its prompt files, by path."
    )
    mode = one_of(Mode, required=False, help_text="Default mock.")
    live = Flag(required=False, help_text="Old word for mode live.")
    dryRun = Flag(required=False, help_text="Old word for mode plan; wins over live.")
    secrets = serializers.DictField(
        required=False, write_only=True, help_text="Keys for this run alone: {provider: {name: value}}. Never shown."
    )
    webhook = RunWebhook(required=False, allow_null=True, write_only=True, help_text="Never shown.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Exactly one of slug and source; one word for the mode, or several that agree."""
        if ("slug" in attrs) == ("source" in attrs):
            raise serializers.ValidationError({"slug": "Send either slug or source."}, code="RECIPE_AMBIGUOUS")
        if "prompts" in attrs and "source" not in attrs:
            raise serializers.ValidationError({"prompts": "Prompt files go with source."}, code="RECIPE_AMBIGUOUS")
        old = Mode.PLAN if attrs.get("dryRun") else Mode.LIVE if attrs.get("live") else None
        if old is not None and attrs.get("mode", old) != old:
            raise serializers.ValidationError({"mode": "mode contradicts live or dryRun."}, code="MODE_AMBIGUOUS")
        attrs["mode"] = Mode(attrs.get("mode") or old or Mode.MOCK)
        return attrs


class PlannedStepRow(serializers.Serializer[Any]):
    """One step of a plan, or of a run just begun."""

    stepId = serializers.CharField()
    order = serializers.IntegerField()
    kind = serializers.CharField()
    provider = serializers.CharField()
    model = serializers.CharField(allow_null=True)
    candidates = serializers.IntegerField(help_text="Attempts that are made side by side.")
    quoteUsd = Usd(help_text="Of one attempt.")
    firstUsd = Usd(help_text="Held before it begins: all candidates and their judging.")
    status = serializers.CharField(help_text="planned, queued, skipped, or reused: taken over.")
    parents = serializers.ListField(child=serializers.CharField())
    prompt = serializers.CharField(required=False, help_text="With its variables filled in; in plans only.")


class PlanDocument(serializers.Serializer[Any]):
    """What a run would do and cost at most. Nothing was stored."""

    runId = serializers.CharField(allow_null=True, help_text="Always null.")
    status = serializers.CharField(help_text="Always planned.")
    slug = serializers.CharField()
    version = serializers.IntegerField()
    mode = serializers.CharField()
    quoteUsd = Usd(help_text="Of all first attempts, with every candidate and its judging.")
    mostUsd = Usd(help_text="With every further try that the recipe allows; never more than the cap.")
    capUsd = Usd()
    steps = PlannedStepRow(many=True)
    warnings = ProblemRow(many=True)


class AcceptedDocument(serializers.Serializer[Any]):
    """A run that will begin in a moment."""

    runId = serializers.CharField()
    status = serializers.CharField(help_text="Always queued.")
    statusUrl = serializers.CharField()
    eventsUrl = serializers.CharField()
    quoteUsd = Usd(help_text="Of all first attempts, with every candidate and its judging.")
    mostUsd = Usd(help_text="With every further try that the recipe allows; never more than the cap.")
    capUsd = Usd()
    steps = PlannedStepRow(many=True)
    warnings = ProblemRow(many=True)


class RunZap(APIView):
    """Plan or run a recipe."""

    parser_classes = (MediaJsonObjectParser,)

    @extend_schema(
        operation_id="runZap",
        auth=OPEN,
        request=RunRequest,
        responses={200: PlanDocument, 202: AcceptedDocument, **refusals(402, 404, 409)},
        parameters=[*KEY, LOCATION],
        examples=ORDERS,
    )
    def post(self, request: Request) -> Response:
        """200 and a plan, nothing written; or 202 and the run that was made."""
        caller, order = caller_of(request), _read_order(RunRequest(data=request.data))
        admit(order.mode, caller)
        if order.mode is Mode.PLAN:
            return Response(plan_document(_draft(order, caller).plan))

        def prepare() -> Draft:
            return keep_media(_draft(order, caller))

        def commit(drafted: Draft) -> idempotency.Answer:
            run = place(drafted, caller)
            return idempotency.Answer(status=202, body=accepted_document(run.run_id, drafted.plan), run_id=run.run_id)

        blind = _blinded(cast("dict[str, Any]", request.data), order)
        return answer_once(request, caller, prepare=prepare, commit=commit, hashed=blind)


class PlanZap(APIView):
    """Plan a recipe of the catalogue."""

    parser_classes = (MediaJsonObjectParser,)

    @extend_schema(
        operation_id="planZap", auth=OPEN, request=PlanRequest, responses={200: PlanDocument, **refusals(402)}
    )
    def post(self, request: Request, slug: str) -> Response:
        """What it would do and cost; nothing is written."""
        caller, order = caller_of(request), _read_order(PlanRequest(data=request.data), slug=slug)
        admit(Mode.PLAN, caller)
        return Response(plan_document(_draft(order, caller).plan))


def accepted_document(run_id: str, plan: Plan) -> dict[str, Any]:
    """The JSON of an AcceptedDocument."""
    return {
        "runId": run_id,
        "status": "queued",
        "statusUrl": public_url(f"/api/runs/{run_id}"),
        "eventsUrl": public_url(f"/api/runs/{run_id}/events"),
        **money(plan),
        "steps": [step_row(step, "queued") for step in plan.steps],
        "warnings": warnings(plan),
    }


def _draft(order: Order, caller: Caller) -> Draft:
    return draft(order, caller, today=timezone.now().date())


def _blinded(body: dict[str, Any], order: Order) -> dict[str, Any]:
    """The body with fingerprints in place of what is secret in it."""
    blind = blinded(body, order.sent)
    if order.callback is None:
        return blind
    return {**blind, "webhook": {**body["webhook"], "secret": fingerprint(order.callback.secret)}}


def _callback(given: dict[str, Any] | None) -> Callback | None:
    if given is None:
        return None
    return Callback(url=given["url"], secret=given["secret"], events=tuple(given.get("events", ())))


def _read_order(body: PlanRequest, *, slug: str | None = None) -> Order:
    body.is_valid(raise_exception=True)
    given = body.validated_data
    return Order(
        slug=slug or given.get("slug"),
        version=given.get("version"),
        source=given.get("source"),
        prompts=given.get("prompts", {}),
        inputs=given.get("inputs", {}),
        mode=given.get("mode", Mode.PLAN),
        extend_count=given.get("extendCount"),
        provider=given.get("provider"),
        max_usd=given.get("maxUsd"),
        sent=read_sets(given.get("secrets")),
        callback=_callback(given.get("webhook")),
    )
