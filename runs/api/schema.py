"""What the schema generator cannot see: the two plain views, and that any answer may be a problem document."""

from typing import Any

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; branch on it, not on the sentences.",
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
}
_ANY_PROBLEM = {
    "description": "A problem document.",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def _parameter(name: str, where: str, *, required: bool) -> dict[str, Any]:
    return {"name": name, "in": where, "required": required, "schema": {"type": "string"}}


def _plain(
    operation_id: str, description: str, parameters: list[dict[str, Any]], answers: dict[str, Any]
) -> dict[str, Any]:
    security: list[dict[str, list[str]]] = [{"token": []}, {"cookieAuth": []}, {}]
    whole = {"operationId": operation_id, "description": description, "tags": ["runs"], "security": security}
    return {"get": {**whole, "parameters": parameters, "responses": answers}}


_EVENTS = _plain(
    "watchRun",
    "Server-sent events: a `snapshot` whenever the run changes, its data a RunDocument, its id the run's revision.",
    [_parameter("run_id", "path", required=True), _parameter("Last-Event-ID", "header", required=False)],
    {
        "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
        "204": {"description": "The run is final and the caller has its last snapshot."},
    },
)
_BYTES = {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
_CONTENT = _plain(
    "getAssetContent",
    "An asset's bytes.",
    [
        _parameter("asset_id", "path", required=True),
        _parameter("Range", "header", required=False),
        _parameter("If-None-Match", "header", required=False),
    ],
    {
        "200": {"description": "All of it.", **_BYTES},
        "206": {"description": "The range that was asked for.", **_BYTES},
        "302": {"description": "It is in a bucket: to an address there that is good for some minutes."},
        "304": {"description": "The caller has it."},
        "416": {"description": "The range begins beyond the end."},
    },
)


def complete(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A drf-spectacular postprocessing hook."""
    result["components"]["schemas"]["Problem"] = _PROBLEM
    result["paths"]["/api/runs/{run_id}/events"] = _EVENTS
    result["paths"]["/api/assets/{asset_id}/content"] = _CONTENT
    for operations in result["paths"].values():
        for operation in operations.values():
            operation["responses"].setdefault("default", _ANY_PROBLEM)
    return result
