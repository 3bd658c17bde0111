"""The addresses of flows that the schema generator cannot see, because DRF does not serve them."""

from typing import Any

from core.api.openapi import refused
from flows.api.rows import READ

_STREAM = {
    "operationId": "watchFlowRun",
    "tags": ["flows"],
    "summary": "Watch a flow run",
    "description": "Server-sent events: `output`, the pieces as they are written, then `end`, the status.",
    "security": READ,
    "parameters": [
        {"name": "run_id", "in": "path", "required": True, "description": "Its id.", "schema": {"type": "string"}},
        {
            "name": "Last-Event-ID",
            "in": "header",
            "required": False,
            "description": "The newest event that the caller has.",
            "schema": {"type": "string"},
        },
    ],
    "responses": {
        "200": {"description": "The stream.", "content": {"text/event-stream": {"schema": {"type": "string"}}}},
        "204": {"description": "The run has ended, and the caller has all of its output."},
        **refused(401, 403, 404, 429, 500, 503),
    },
}


def plain_views(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """A drf-spectacular postprocessing hook."""
    result["paths"] |= {"/api/flows/runs/{run_id}/stream": {"get": _STREAM}}
    return result
