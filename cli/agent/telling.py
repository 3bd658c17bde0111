"""Answers of tools: JSON as short as a model needs it, and refusals with their code and what to do."""

import functools
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, ParamSpec

from mcp.types import CallToolResult, ContentBlock, TextContent

from cli import faults
from cli.words import why
from core.errors import ZapsError

P = ParamSpec("P")
Document = dict[str, Any]
_RUN = ("runId", "zapSlug", "status", "stage", "waitReason", "providerMode", "costUsd", "capUsd", "zapUrl")
_ASSET = ("assetId", "stepId", "kind", "contentType", "url", "path", "width", "height", "durationS", "sizeBytes")
_NOT_NEEDED = frozenset({"type", "title", "status"})


def answer(document: Document, *more: ContentBlock) -> CallToolResult:
    """The document, as structure and as text for clients that know no structure; `more` comes after it."""
    text = TextContent(type="text", text=json.dumps(document, ensure_ascii=False))
    return CallToolResult(content=[text, *more], structured_content=document)


def refusal(document: Mapping[str, Any]) -> CallToolResult:
    """A problem document, as an error that the model reads."""
    told = {name: value for name, value in document.items() if name not in _NOT_NEEDED and value not in ("", [], None)}
    return CallToolResult(
        content=[TextContent(type="text", text=json.dumps(told, ensure_ascii=False))],
        structured_content=told,
        is_error=True,
    )


def tool(function: Callable[P, CallToolResult]) -> Callable[P, CallToolResult]:
    """The function; whatever Zaps refuses is its answer."""

    @functools.wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> CallToolResult:
        try:
            return function(*args, **kwargs)
        except (faults.Fault, ZapsError) as exc:
            return refusal(_document(exc))

    return guarded


def waiting_tool(function: Callable[P, Awaitable[CallToolResult]]) -> Callable[P, Awaitable[CallToolResult]]:
    """The same for one that waits."""

    @functools.wraps(function)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> CallToolResult:
        try:
            return await function(*args, **kwargs)
        except (faults.Fault, ZapsError) as exc:
            return refusal(_document(exc))

    return guarded


def brief(snapshot: Mapping[str, Any]) -> Document:
    """The run as a model needs it: where it stands, why each step stands so, what was made, what can be done."""
    return {
        "run": _kept(snapshot["run"], _RUN) | _trouble(snapshot["run"]),
        "steps": [_step(step) for step in snapshot["steps"]],
        "assets": [asset_of(asset) for asset in snapshot["assets"]],
        "remainingBudgetUsd": snapshot["remainingBudgetUsd"],
        "next": list(_next(snapshot)),
    }


def asset_of(asset: Mapping[str, Any]) -> Document:
    """What was made, and where it is."""
    return _kept(asset, _ASSET)


def _step(step: Mapping[str, Any]) -> Document:
    waits = step.get("waits")
    return {
        **_kept(step, ("stepId", "kind", "status", "provider", "model", "actualUsd")),
        **({"why": why(step)} if why(step) else {}),
        **({"waits": {"message": waits["message"], "choices": waits["choices"]}} if waits else {}),
        **({"can": step["can"]} if step.get("can") else {}),
    }


def _trouble(run: Mapping[str, Any]) -> Document:
    detail = run.get("errorDetail")
    return {"error": _kept(detail, ("code", "message", "remediation", "retryable"))} if detail else {}


def _next(snapshot: Mapping[str, Any]) -> Iterator[str]:
    """Which tools would move it."""
    run = snapshot["run"]
    if run["status"] in {"queued", "running"}:
        yield "zap_watch waits until it ends or a person is needed."
    if any("approve" in step.get("can", ()) for step in snapshot["steps"]):
        yield "A result waits to be looked at: show it to the person, then zap_approve or zap_reject."
    elif run["status"] == "waiting":
        yield f"Only a person can go on: `zap watch {run['runId']}` in a terminal says how."
    if run["status"] == "done" and snapshot["assets"]:
        yield "zap_assets says where the media is, and shows small pictures."
    if run["status"] in {"failed", "canceled"}:
        yield f"A person can go on with `zap resume {run['runId']}`; or start again with zap_run."


def _kept(row: Mapping[str, Any], names: tuple[str, ...]) -> Document:
    return {name: row[name] for name in names if row.get(name) is not None}


def _document(exc: faults.Fault | ZapsError) -> Mapping[str, Any]:
    return exc.document if isinstance(exc, faults.Fault) else faults.of_error(exc).document
