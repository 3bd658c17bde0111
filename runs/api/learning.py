"""What finished runs teach: a draft recipe from one of them, and the evidence of all of them."""

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Scope
from core.api.fields import EpochMs, TextOrNull, Usd
from core.api.openapi import OPEN, refusals
from core.errors import BadInput, NotFound, Problem
from runs import queries
from runs.learning.compiling import Compiled, compile_and_save, compile_run
from runs.learning.evidence import RUNS_AT_MOST, gather
from runs.learning.facts import StepFacts
from zaps.api.serializers import ZapRow

Char, Int, Float = serializers.CharField, serializers.IntegerField, serializers.FloatField
DEFAULT_DAYS, MAX_DAYS = 30, 366


class LineageRow(serializers.Serializer[Any]):
    """Where a compiled recipe comes from."""

    sourceZap = Char()
    sourceVersion = Int(help_text="0: the recipe came with the run's request, or was an unpublished draft.")


class CompiledDocument(serializers.Serializer[Any]):
    """A draft recipe that a run taught. `source` and `prompts` are its whole text."""

    slug = Char()
    source = Char()  # type: ignore[assignment]
    prompts = serializers.DictField(child=Char(), help_text="Prompt files, by path.")
    compiledFromRunId = Char()
    lineage = LineageRow()
    estimateUsd = Usd(help_text="What the run cost without its failures.")
    capUsd = Usd()
    costUsd = Usd(help_text="What the run cost in all.")
    attempts = Int(help_text="All tries of all its steps.")
    zap = ZapRow(allow_null=True, help_text="The saved draft; null where it was not to be saved.")


class CompileRun(APIView):
    """A recipe from a run."""

    @extend_schema(
        operation_id="compileRun",
        request=None,
        auth=OPEN,
        responses={200: CompiledDocument, 201: CompiledDocument, **refusals(402, 409)},
        parameters=[OpenApiParameter("save", bool, description="Also save it as the caller's draft.")],
    )
    def post(self, request: Request, run_id: str) -> Response:
        """The recipe that makes the run again, with what the run found out. 201 when this saved it, 409 unless done."""
        caller = caller_of(request)
        save = _read_save(request)
        if caller.is_known:
            caller.require(Scope.READ)
        if save:
            caller.require(Scope.PUBLISH)
        run = queries.get_run(run_id, caller)
        if not queries.may_change(run, caller):
            raise NotFound(f"There is no run {run_id!r}.")
        compiled = compile_and_save(run, caller.known_user) if save else compile_run(run)
        return Response(compiled_document(compiled), status=201 if compiled.is_new else 200)


def compiled_document(compiled: Compiled) -> dict[str, Any]:
    """The JSON of a CompiledDocument."""
    recipe = compiled.recipe
    return {
        "slug": compiled.slug,
        "source": compiled.source,
        "prompts": dict(compiled.prompts),
        "compiledFromRunId": compiled.run_id,
        "lineage": {
            "sourceZap": compiled.lineage["source_zap"],
            "sourceVersion": compiled.lineage["source_version"],
        },
        "estimateUsd": float(recipe.estimate_usd),
        "capUsd": float(recipe.cap_usd),
        "costUsd": float(compiled.cost_usd),
        "attempts": compiled.attempts,
        "zap": ZapRow(compiled.zap).data if compiled.zap is not None else None,
    }


class SpreadRow(serializers.Serializer[Any]):
    """How much it takes."""

    min = Float(source="least")
    median = Float()
    p95 = Float(help_text="Of a hundred, five take more.")


class RunFactsRow(serializers.Serializer[Any]):
    """The runs by how they ended. Costs, quote and times are of those that are done."""

    count = Int()
    done = Int()
    failed = Int()
    canceled = Int()
    open = Int(help_text="Not ended yet.")
    totalUsd = Usd(source="total_usd", help_text="Of all runs, the failed ones too.")
    quoteUsd = Usd(source="quote_usd", allow_null=True, help_text="Median.")
    costUsd = SpreadRow(source="cost_usd", allow_null=True)
    wallS = SpreadRow(source="wall_s", allow_null=True, help_text="Seconds from begin to end.")


class FailureRow(serializers.Serializer[Any]):
    """How often attempts failed for one reason."""

    code = Char()
    count = Int()


class ScoresRow(serializers.Serializer[Any]):
    """What judges said: of each result, the worst score."""

    count = Int()
    min = Float(source="least")
    median = Float()
    passedShare = Float(source="passed_share", allow_null=True, help_text="Null where no threshold is set.")


class CommentRow(serializers.Serializer[Any]):
    """What somebody said with a vote."""

    vote = TextOrNull()
    text = Char()
    at = EpochMs()


class VotesRow(serializers.Serializer[Any]):
    """What people said."""

    up = Int()
    down = Int()
    comments = CommentRow(many=True, help_text="The newest five, cut to 280 characters.")


class StepFactsRow(serializers.Serializer[Any]):
    """A step of the recipe over all runs, with everything that it was repeated into."""

    stepId = Char(source="step", help_text="As the recipe calls it.")
    kind = Char()
    done = Int()
    failed = Int()
    skipped = Int()
    attempts = Int()
    failedAttempts = Int(source="failed_attempts", help_text="Also of steps that were made in the end.")
    failures = serializers.SerializerMethodField()
    retries = Int(help_text="Attempts beyond the candidates that it begins with.")
    byFallback = Int(source="by_fallback", help_text="Attempts that went to the fallback.")
    reused = Int(help_text="Results taken over from another run.")
    results = Int(help_text="Attempts that delivered.")
    choices = Int(help_text="Times that there was more than one result to choose from.")
    firstChosen = Int(source="first_chosen", help_text="Times that the first of them was chosen.")
    judgeFailures = Int(source="judge_failures", help_text="Times that the judge could not say anything.")
    costUsd = Usd(source="cost_usd", help_text="Of all its attempts together.")
    costShare = Float(source="cost_share", help_text="Of all steps' cost, 0 to 1.")
    medianS = Float(source="median_s", allow_null=True, help_text="Seconds that it takes.")
    timeShare = Float(source="time_share", help_text="Of all steps' time, side by side or not, 0 to 1.")
    scores = ScoresRow(allow_null=True)
    votes = VotesRow()

    @extend_schema_field(FailureRow(many=True))
    def get_failures(self, facts: StepFacts) -> list[dict[str, Any]]:
        """By code, the most frequent first."""
        return [{"code": code, "count": count} for code, count in facts.failures.items()]


class FindingRow(serializers.Serializer[Any]):
    """Something worth changing."""

    code = Char(help_text="Stable.")
    stepId = TextOrNull(source="step", help_text="Null: the whole recipe.")
    message = Char()
    suggestion = Char()


class PartRow(serializers.Serializer[Any]):
    """What the live, or the mock, runs show."""

    estimateUsd = Usd(source="facts.estimate_usd", allow_null=True, help_text="As the newest run's recipe says.")
    runs = RunFactsRow(source="facts.runs")
    votes = VotesRow(source="facts.votes", help_text="On whole runs.")
    steps = StepFactsRow(source="facts.steps", many=True)
    findings = FindingRow(many=True)


class EvidenceDocument(serializers.Serializer[Any]):
    """What a recipe's runs show. Live and mock runs are never added up together."""

    slug = Char()
    days = Int()
    truncated = serializers.BooleanField(
        source="is_cut", help_text=f"Only the newest {RUNS_AT_MOST} runs were counted."
    )
    live = PartRow(allow_null=True)
    mock = PartRow(allow_null=True)


class EvidenceView(APIView):
    """What a recipe's runs show."""

    @extend_schema(
        operation_id="getEvidence",
        responses=EvidenceDocument,
        parameters=[
            OpenApiParameter("days", {"type": "integer", "minimum": 1, "maximum": MAX_DAYS, "default": DEFAULT_DAYS})
        ],
    )
    def get(self, request: Request, slug: str) -> Response:
        """What the caller's runs cost, where they failed and how they were liked; staff see everybody's."""
        caller = caller_of(request)
        caller.require(Scope.READ)
        evidence = gather(slug, caller, days=_read_days(request), now=timezone.now())
        return Response(EvidenceDocument(evidence).data)


def _read_save(request: Request) -> bool:
    word = request.query_params.get("save", "false")
    if word not in ("true", "false"):
        raise _unusable("save", "save is true or false.")
    return word == "true"


def _read_days(request: Request) -> int:
    text = request.query_params.get("days", str(DEFAULT_DAYS))
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_DAYS):
        raise _unusable("days", f"days is a whole number from 1 to {MAX_DAYS}.")
    return int(text)


def _unusable(name: str, sentence: str) -> BadInput:
    return BadInput(sentence, problems=[Problem(code="PARAMETER_INVALID", message=sentence, path=name)])
