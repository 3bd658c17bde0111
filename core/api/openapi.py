"""What the OpenAPI document says of every operation alike: who may call, how they are refused, how strict bodies are.

A view names only the refusals that are its own: `responses={200: Row, **refusals(402, 409)}`. What any operation may
answer is added to all of them by `complete`.
"""

import re
from collections.abc import Iterator
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

#: for `extend_schema(auth=…)`: an operation that callers whom we do not know may use too
OPEN: Any = [{"token": []}, {"cookieAuth": []}, {}]
#: the same, and whoever holds a read token of the run
SHARED: Any = [*OPEN, {"shareToken": []}]
SECURITY_SCHEMES: dict[str, Any] = {
    "cookieAuth": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sessionid",
        "description": "A browser's session: `POST /api/session`. What is not a GET needs `X-CSRFToken` too.",
    },
    "drainSecret": {
        "type": "apiKey",
        "in": "header",
        "name": "x-zap-cron-secret",
        "description": "`ZAP_POLL_DRAIN_SECRET`; `Authorization: Bearer` takes it too.",
    },
    "metricsToken": {"type": "http", "scheme": "bearer", "description": "`ZAP_METRICS_TOKEN`, for `/metrics` alone."},
    "flowKey": {"type": "apiKey", "in": "header", "name": "x-api-key", "description": "An API key, to flows alone."},
    "flowSignature": {
        "type": "apiKey",
        "in": "header",
        "name": "x-flow-signature-256",
        "description": "`sha256=` and the HMAC-SHA256 of the body by `ZAP_FLOWS_SECRET`.",
    },
    "shareToken": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "A read token of one run: `POST /api/runs/{runId}/share`.",
    },
}
_SESSION = {
    "name": "X-Zap-Session",
    "in": "header",
    "required": False,
    "description": "Names a browser or script whose caller is not known: what it made, it may list and change.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._~-]{1,80}$"},
}

_REFUSALS = {
    400: "It cannot be read: `MALFORMED_REQUEST`.",
    401: "We do not know the caller: `NOT_AUTHENTICATED`, or what it showed is not good: `CREDENTIALS_REFUSED`.",
    402: "It would cost more than a cap allows: `BUDGET_EXCEEDED`, `OWNER_SPEND_CAP` and others; nothing was spent.",
    403: "The caller may not do that: `FORBIDDEN`.",
    404: "There is no such thing, or the caller may not see it: `NOT_FOUND`.",
    406: "The caller accepts no JSON: `NOT_ACCEPTABLE`.",
    409: "The state of the thing forbids it now; `code` says which.",
    410: "It was there, and was deleted: `RUN_DELETED`.",
    413: "The body is too large: `BODY_TOO_LARGE`.",
    415: "The body is of another type: `UNSUPPORTED_MEDIA_TYPE`.",
    422: "Something in it is wrong; `errors` names everything that was found.",
    429: "Too many requests: `TOO_MANY_REQUESTS`.",
    500: "Something failed on our side: `INTERNAL`.",
    501: "This server is not set up for it; `code` says for what.",
    503: "Something that we need does not answer: `DATABASE_UNAVAILABLE` and others.",
}
_ALWAYS = (400, 401, 403, 406, 422, 429, 500, 503)
_WITH_BODY = (413, 415)
_DELETABLE = ("/api/runs/{", "/api/assets/{")  # a deleted run, or what an idempotency key once began
_IDEMPOTENT = {"Idempotency-Key"}
_LATER = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `code` is stable: branch on it. Some codes bring fields of their own.",
    "required": ["type", "title", "status", "code", "detail", "remediation", "retryable", "errors"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "remediation": {"type": "string"},
        "retryable": {"type": "boolean"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/ProblemRow"}},
    },
    "additionalProperties": True,
    "example": {
        "type": "urn:zap:problem:NOT_FOUND",
        "title": "There is no such thing.",
        "status": 404,
        "code": "NOT_FOUND",
        "detail": "There is no run 'run_4k9f2c8s1x7q3b5z'.",
        "remediation": "Check the id; a run or recipe of somebody else looks as if it did not exist.",
        "retryable": False,
        "errors": [],
    },
}


def refusals(*statuses: int) -> dict[int, OpenApiResponse]:
    """For `extend_schema(responses=…)`: what this operation refuses with, beside what any operation may."""
    return {status: OpenApiResponse(description=_REFUSALS[status]) for status in statuses}


def refused(*statuses: int) -> dict[str, Any]:
    """The same as it stands in the document, for an operation that is written by hand."""
    return {str(status): {"$ref": f"#/components/responses/Refused{status}"} for status in sorted(statuses)}


def answer_header(name: str, description: str, *, on: list[int]) -> OpenApiParameter:
    """A header of the answers with those statuses."""
    return OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description, response=on)


class StrictBody(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """A body that is refused when it has a field that we do not know says so."""

    target_class = "core.api.fields.StrictRequest"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Its fields, and no others."""
        mapped: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        return {**mapped, "additionalProperties": False}


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A drf-spectacular postprocessing hook."""
    components = result["components"]
    components["schemas"]["Problem"] = _PROBLEM
    components["responses"] = {f"Refused{status}": _response(status) for status in _REFUSALS}
    components["parameters"] = {"Session": _SESSION}
    components["securitySchemes"] |= SECURITY_SCHEMES
    for path, operation in _operations(result):
        _complete(path, operation)
    components["schemas"].pop("NullEnum", None)
    whole: dict[str, Any] = _with_plain_nulls(result)
    return whole


def _response(status: int) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    told: dict[str, Any] = {"description": _REFUSALS[status], "content": content}
    return {**told, "headers": _LATER} if status in (429, 503) else told


def _operations(result: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in result["paths"].items():
        for operation in methods.values():
            yield path, operation


def _with_plain_nulls(node: Any) -> Any:
    """The generator has an enumeration of nothing but null."""
    if node == {"$ref": "#/components/schemas/NullEnum"}:
        return {"type": "null"}
    if isinstance(node, dict):
        return {name: _with_plain_nulls(inner) for name, inner in node.items()}
    return [_with_plain_nulls(inner) for inner in node] if isinstance(node, list) else node


def _complete(path: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    own = {int(status) for status in answers if int(status) in _REFUSALS}
    shape = [*_ALWAYS, *(_WITH_BODY if "requestBody" in operation else ()), *([404] if "{" in path else ())]
    if path.startswith(_DELETABLE) or _IDEMPOTENT <= {one.get("name") for one in operation.get("parameters", ())}:
        shape.append(410)
    for status, answer in answers.items():
        answer["description"] = answer["description"] or _DONE[int(status)]
    operation["responses"] = dict(sorted({**answers, **refused(*own, *shape)}.items()))
    operation["summary"] = re.sub("(?<=[a-z])(?=[A-Z])", " ", operation["operationId"]).capitalize()
    if {} in operation["security"]:
        operation.setdefault("parameters", []).append({"$ref": "#/components/parameters/Session"})


_DONE = {200: "Done.", 201: "Made.", 202: "Begun.", 204: "Done; there is nothing to say."}
