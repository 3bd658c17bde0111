"""The addresses of runs that the schema generator cannot see, because DRF does not serve them."""

from typing import Any

from core.api.openapi import OPEN, SHARED, refused
from runs.api.summaries import SUMMARY

_SESSION = {"$ref": "#/components/parameters/Session"}
_BYTES = {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}
_ETAG = {"ETag": {"description": "What `If-None-Match` takes.", "schema": {"type": "string"}}}


def _parameter(name: str, where: str, about: str, *, required: bool = False, pattern: str = "") -> dict[str, Any]:
    shape = {"type": "string", **({"pattern": pattern} if pattern else {})}
    return {"name": name, "in": where, "required": required, "description": about, "schema": shape}


def _id(name: str) -> dict[str, Any]:
    return _parameter(name, "path", "Its id.", required=True, pattern="^[a-z]{2,12}_[0-9a-z]{1,24}$")


def _operation(name: str, tag: str, summary: str, told: str, **rest: Any) -> dict[str, Any]:
    return {"operationId": name, "tags": [tag], "summary": summary, "description": f"{summary}. {told}", **rest}


_EVENTS = _operation(
    "watchRun",
    "runs",
    "Watch a run",
    "Server-sent events: a `snapshot` whenever the run changes, its data a RunDocument, its id the run's revision.",
    security=SHARED,
    parameters=[
        _id("run_id"),
        _parameter("Last-Event-ID", "header", "The newest event that the caller has."),
        _SESSION,
    ],
    responses={
        "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
        "204": {"description": "The run is final, and the caller has its last snapshot."},
        **refused(401, 403, 404, 422, 429, 500, 503),
    },
)
_MY_EVENTS = _operation(
    "watchRuns",
    "runs",
    "Watch the caller's runs",
    "Server-sent events: `runs`, its data a RunNews. The first holds what is at work, and what ended since the event "
    "that the caller shows; further ones hold what has changed, of each run the newest.",
    security=OPEN,
    parameters=[
        _parameter("Last-Event-ID", "header", "The newest event that the caller has."),
        {
            "name": "all",
            "in": "query",
            "description": "Everybody's runs. Staff only.",
            "schema": {"type": "string", "enum": ["true", "false"], "default": "false"},
        },
        _SESSION,
    ],
    responses={
        "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
        **refused(401, 403, 422, 429, 500, 503),
    },
)
_CONTENT = _operation(
    "getAssetContent",
    "assets",
    "An asset's bytes",
    "They never change. HEAD answers with the headers alone.",
    security=SHARED,
    parameters=[
        _id("asset_id"),
        _parameter("Range", "header", "One range: `bytes=0-1023`."),
        _parameter("If-Range", "header", "The ETag that the range is of."),
        _parameter("If-None-Match", "header", "The ETag that the caller has."),
        _SESSION,
    ],
    responses={
        "200": {"description": "All of it.", **_BYTES, "headers": _ETAG},
        "206": {"description": "The range that was asked for.", **_BYTES, "headers": _ETAG},
        "302": {
            "description": "It is in a bucket: to an address there that is good for some minutes.",
            "headers": {"Location": {"schema": {"type": "string"}}},
        },
        "304": {"description": "The caller has it."},
        "416": {"description": "The range begins beyond the end."},
        **refused(401, 403, 404, 422, 500, 503),
    },
)
_WEBHOOK = _operation(
    "receiveWebhook",
    "providers",
    "A provider says that a job has ended",
    "What it says is never believed: it only makes us look.",
    security=[{}],
    parameters=[
        _parameter("provider", "path", "Its name.", required=True, pattern="^[-a-zA-Z0-9_]+$"),
        _parameter("token", "path", "The end of the attempt's own address.", required=True, pattern="^[0-9a-f]{32}$"),
    ],
    requestBody={"content": {"application/json": {"schema": {}}}},
    responses={
        "200": {"description": "Taken, or here before."},
        "202": {"description": "Remembered, for a job whose submission has not been answered yet."},
        **refused(400, 401, 404, 413, 500, 503),
    },
)


def plain_views(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A drf-spectacular postprocessing hook."""
    result["paths"] |= {
        "/api/runs/{run_id}/events": {"get": _EVENTS},
        "/api/events": {"get": _MY_EVENTS},
        "/api/assets/{asset_id}/content": {"get": _CONTENT},
        "/api/providers/{provider}/webhook/{token}": {"post": _WEBHOOK},
    }
    schemas = result["components"]["schemas"]
    properties = {name: schemas["RunRow"]["properties"][name] for name in SUMMARY}
    schemas["RunSummary"] = {"type": "object", "required": list(SUMMARY), "properties": properties}
    schemas["RunNews"] = {
        "type": "object",
        "required": ["runs"],
        "properties": {"runs": {"type": "array", "items": {"$ref": "#/components/schemas/RunSummary"}}},
    }
    return result
