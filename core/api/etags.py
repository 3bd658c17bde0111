"""Answers that need not be sent again: an ETag names what was read, and If-None-Match what the caller has."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from django.utils.http import parse_etags
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from core.api.openapi import answer_header

_HEADER = "If-None-Match"
#: for `extend_schema(parameters=…)` and `responses=` of what has an ETag
CONDITIONAL = [
    OpenApiParameter(_HEADER, str, OpenApiParameter.HEADER, description="The `ETag` of what the caller has."),
    answer_header("ETag", "Names what was read: send it as `If-None-Match` the next time.", on=[200, 304]),
]
NOT_MODIFIED = {304: OpenApiResponse(description="The caller has it.")}


def asks_whether_new(request: Request) -> bool:
    """Whether the caller has something already."""
    return _HEADER in request.headers


def has(request: Request, tag: str) -> bool:
    """Whether that is what `tag` names."""
    known = parse_etags(request.headers.get(_HEADER, ""))
    return known == ["*"] or tag.removeprefix("W/") in {one.removeprefix("W/") for one in known}


def tagged(body: Mapping[str, Any], tag: str) -> Response:
    """The answer. A browser keeps it for this caller alone, and asks each time whether it is still good."""
    return Response(body, headers=_headers(tag))


def not_modified(tag: str) -> Response:
    """304: the caller has it."""
    return Response(status=304, headers=_headers(tag))


def _headers(tag: str) -> dict[str, str]:
    return {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie, X-Zap-Session"}


def tag_of(body: Mapping[str, Any]) -> str:
    """A tag by content, where there is nothing cheaper that changes with it."""
    written = json.dumps(body, cls=JSONEncoder, sort_keys=True)
    return f'"{hashlib.sha256(written.encode()).hexdigest()[:32]}"'
