"""What finished runs teach: a draft recipe from one of them, and the evidence of all of them."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Scope
from core.api.fields import Usd
from core.errors import BadInput, NotFound, Problem
from runs import queries
from runs.learning.compiling import Compiled, compile_and_save, compile_run
from zaps.api.serializers import ZapRow

Char, Int = serializers.CharField, serializers.IntegerField


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
        responses={200: CompiledDocument, 201: CompiledDocument},
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


def _read_save(request: Request) -> bool:
    word = request.query_params.get("save", "false")
    if word not in ("true", "false"):
        sentence = "save is true or false."
        raise BadInput(sentence, problems=[Problem(code="PARAMETER_INVALID", message=sentence, path="save")])
    return word == "true"
