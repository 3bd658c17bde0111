"""The OpenAPI document: /api/schema, docs/openapi.yaml, and the addresses of this room in it."""

import hashlib
import json
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import cache_control
from django.views.decorators.http import etag
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer

from core.api.openapi import refused
from core.api.problems import allow, answers_problems

_YAML, _JSON = "application/vnd.oai.openapi", "application/vnd.oai.openapi+json"


def page() -> str:
    """docs/openapi.yaml: the same wherever it is drawn."""
    return _text(_YAML)


@lru_cache(maxsize=1)
def document() -> dict[str, Any]:
    """The document; nobody may change it."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return made


@lru_cache(maxsize=2)
def _text(kind: str) -> str:
    if kind == _JSON:
        return json.dumps(document(), ensure_ascii=False)
    rendered: bytes = OpenApiYamlRenderer().render(document())  # type: ignore[no-untyped-call]
    return rendered.decode()


def _kind(request: HttpRequest) -> str:
    wanted = request.GET.get("format") or request.headers.get("Accept", "")
    return _JSON if "json" in wanted else _YAML


def _etag(request: HttpRequest) -> str:
    return f'"{hashlib.sha256(_text(_kind(request)).encode()).hexdigest()[:32]}"'


@answers_problems
@cache_control(public=True, max_age=0)
@etag(_etag)
def schema(request: HttpRequest) -> HttpResponseBase:
    """The document: YAML, or JSON where `?format=json` or the Accept header asks for it."""
    allow(request, "GET", "HEAD")
    kind = _kind(request)
    return HttpResponse(_text(kind), content_type=f"{kind}; charset=utf-8", headers={"Vary": "Accept"})


def _read(name: str, summary: str, answers: dict[str, Any], *, parameters: list[Any] | None = None) -> dict[str, Any]:
    operation = {"operationId": name, "tags": ["server"], "summary": summary, "description": f"{summary}."}
    return {"get": {**operation, "security": [{}], "parameters": parameters or [], "responses": answers}}


def _object(description: str, *words: str) -> dict[str, Any]:
    shape = {"type": "object", "required": list(words), "properties": {word: {"type": "string"} for word in words}}
    return {"description": description, "content": {"application/json": {"schema": shape}}}


_READY = ("status", "database", "broker")
_FORMAT = {"name": "format", "in": "query", "schema": {"type": "string", "enum": ["json", "yaml"]}}
_OWN = {
    "/api/schema": _read(
        "getSchema",
        "This document",
        {
            "200": {"description": "The document.", "content": {_YAML: {"schema": {}}, _JSON: {"schema": {}}}},
            "304": {"description": "The caller has it."},
            **refused(500),
        },
        parameters=[_FORMAT],
    ),
    "/api/docs": _read(
        "readDocs",
        "This document as a page",
        {"200": {"description": "The page.", "content": {"text/html": {"schema": {"type": "string"}}}}},
    ),
    "/healthz": _read("isAlive", "Whether the process answers at all", {"200": _object("It does.", "status")}),
    "/readyz": _read(
        "isReady",
        "Whether the server can work",
        {
            "200": _object("It can. Without the broker only slower: then `broker` is `down`.", *_READY),
            "503": _object("It cannot: the database does not answer.", *_READY),
        },
    ),
    "/metrics": {
        "get": {
            **_read(
                "readMetrics",
                "How the server does, for a monitor",
                {
                    "200": {"description": "The figures.", "content": {"text/plain": {"schema": {"type": "string"}}}},
                    **refused(401, 500, 503),
                },
            )["get"],
            "security": [{"metricsToken": []}],
        }
    },
    "/.well-known/agent.json": _read(
        "getAgentCard",
        "What this server is, and where an agent finds things",
        {"200": {"description": "The card.", "content": {"application/json": {"schema": {"type": "object"}}}}},
    ),
}


def own_views(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A drf-spectacular postprocessing hook."""
    result["paths"] |= _OWN
    return result
