"""The catalogue over HTTP."""

from dataclasses import asdict
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.auth import caller_of
from accounts.caller import Caller, Scope
from core.api.etags import CONDITIONAL, NOT_MODIFIED, has, not_modified, tag_of, tagged
from core.api.filters import flag, moment, parameters, read_filters, text, word
from core.api.openapi import OPEN, refusals
from core.api.paging import PAGING, paginate, read_limit
from core.errors import BadInput, Problem
from zaps import catalogue
from zaps.api.examples import CHECKS
from zaps.api.serializers import (
    STATUSES,
    PublishRequest,
    ValidateDocument,
    ValidateRequest,
    ZapDocument,
    ZapRow,
    zap_document,
)
from zaps.models import Zap

_QUERY_AT_MOST = 200
_FILTERS = (
    text("tag", "tag", hint="a tag", about="Of that tag."),
    word("status", "status", STATUSES, about="draft: the newest text is not published."),
    flag("mine", "mine", about="Only the caller's own."),
    moment("since", "updated_at__gte", about="Changed then or later, in milliseconds since 1970."),
)


class ZapPage(serializers.Serializer[Any]):
    """Some recipes, by slug."""

    query = serializers.CharField()
    zaps = ZapRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class Zaps(APIView):
    """The catalogue."""

    @extend_schema(
        operation_id="listZaps",
        auth=OPEN,
        responses=ZapPage,
        parameters=[
            OpenApiParameter(
                "query",
                str,
                description="Every word must stand in slug, title, description, tags, providers or inputs.",
            ),
            *parameters(_FILTERS),
            *PAGING,
        ],
    )
    def get(self, request: Request) -> Response:
        """The public recipes, and the caller's own, by slug."""
        query = request.query_params.get("query", "")
        if len(query) > _QUERY_AT_MOST or "\0" in query:
            sentence = f"query has at most {_QUERY_AT_MOST} characters."
            raise BadInput(sentence, problems=[Problem(code="PARAMETER_INVALID", message=sentence, path="query")])
        page = paginate(
            _narrowed(request, query),
            keys=("slug",),
            descending=False,
            cursor=request.query_params.get("cursor"),
            limit=read_limit(request.query_params.get("limit")),
        )
        return Response({"query": query, "zaps": ZapRow(page.items, many=True).data, "nextCursor": page.next_cursor})


class ZapView(APIView):
    """One recipe."""

    @extend_schema(
        operation_id="getZap",
        auth=OPEN,
        responses={200: ZapDocument, **NOT_MODIFIED},
        parameters=[
            OpenApiParameter(
                "version", {"type": "integer", "minimum": 1, "maximum": 999_999_999}, description="An older version."
            ),
            OpenApiParameter(
                "draft", bool, description="true: the newest text, published or not; to author and staff."
            ),
            *CONDITIONAL,
        ],
    )
    def get(self, request: Request, slug: str) -> Response:
        """The newest published version, or the one asked for; an author's unpublished draft is version 0."""
        user = _reader(request).user
        if _wants_draft(request):
            found = catalogue.find_draft(slug, user)
        else:
            found = catalogue.find(slug, user, version=_read_version(request))
        body = zap_document(found)
        tag = tag_of(body)
        return not_modified(tag) if has(request, tag) else tagged(body, tag)


class ValidateZap(APIView):
    """Check a recipe."""

    @extend_schema(
        operation_id="validateZap", auth=OPEN, examples=CHECKS, request=ValidateRequest, responses=ValidateDocument
    )
    def post(self, request: Request) -> Response:
        """200 either way: `ok`, or everything that is wrong with it. Nothing is kept."""
        caller_of(request)
        body = ValidateRequest(data=request.data)
        body.is_valid(raise_exception=True)
        given = body.validated_data
        try:
            recipe = catalogue.parse_cached(given["source"], given.get("prompts", {}))
        except BadInput as exc:
            return Response({"ok": False, "errors": [asdict(problem) for problem in exc.problems]})
        return Response({
            "ok": True, "errors": [], "slug": recipe.slug, "steps": len(recipe.steps),
            **catalogue.summarize(recipe),
        })  # fmt: skip


class PublishZap(APIView):
    """Put a recipe into the catalogue."""

    @extend_schema(
        operation_id="publishZap", request=PublishRequest, responses={200: ZapRow, 201: ZapRow, **refusals(409)}
    )
    def post(self, request: Request) -> Response:
        """201 when this made a version or a first draft, 200 when nothing was new."""
        caller = caller_of(request)
        caller.require(Scope.PUBLISH)
        body = PublishRequest(data=request.data)
        body.is_valid(raise_exception=True)
        keep = catalogue.save_draft if body.is_draft else catalogue.publish
        saved = keep(body.entry(), author=caller.known_user)
        return Response(ZapRow(saved.zap).data, status=201 if saved.is_new else 200)


def _reader(request: Request) -> Caller:
    caller = caller_of(request)
    if caller.is_known:
        caller.require(Scope.READ)
    return caller


def _narrowed(request: Request, query: str) -> QuerySet[Zap]:
    user, wanted = _reader(request).user, read_filters(request.query_params, _FILTERS)
    tag, is_mine = wanted.pop("tag", None), wanted.pop("mine", False)
    rows = catalogue.listed(user, query=query).filter(**wanted)
    if is_mine:
        rows = rows.filter(author=user) if user is not None else rows.none()
    return rows.filter(tags__contains=[tag]) if tag is not None else rows


def _wants_draft(request: Request) -> bool:
    text = request.query_params.get("draft", "false")
    if text not in ("true", "false") or (text == "true" and "version" in request.query_params):
        sentence = "draft is true or false, and true only without version."
        raise BadInput(sentence, problems=[Problem(code="PARAMETER_INVALID", message=sentence, path="draft")])
    return text == "true"


def _read_version(request: Request) -> int | None:
    text = request.query_params.get("version")
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and int(text) >= 1):
        sentence = "version is a whole number from 1."
        raise BadInput(sentence, problems=[Problem(code="PARAMETER_INVALID", message=sentence, path="version")])
    return int(text)
