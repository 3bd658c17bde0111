"""The tools by name, and the transport: lines of JSON on stdin and stdout."""

import logging
import os
import signal
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.types import CallToolResult, InputRequiredResult, ToolAnnotations
from pydantic import ValidationError

from cli.agent.assets import AssetTools
from cli.agent.desk import Desk
from cli.agent.folders import Folders
from cli.agent.purse import Allowance
from cli.agent.recipes import RecipeTools
from cli.agent.runs import RunTools
from cli.agent.telling import refusal
from cli.agent.uploads import UploadTools

logger = logging.getLogger(__name__)

INSTRUCTIONS = """\
Zaps makes films from recipes (a Zap.md: steps that make pictures, clips and sounds, and join them).
Find a recipe with zap_list, or write one: zap_docs recipes is the grammar, zap_validate says what is wrong.
zap_plan says what a run would cost. zap_upload sends a file that an input needs.
zap_run starts a run; its mode mock is free. zap_watch waits for it.
A step that waits for approval waits for the person, not for you: show them what was made and ask.
Every refusal has a code, a sentence and a remediation: do what it says instead of trying the same again.
"""
_LOOKS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_STARTS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False)
_ENDS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True)


class Server(MCPServer[None]):
    """Refuses what cannot be called in the same words as everything else."""

    async def call_tool(
        self, name: str, arguments: dict[str, Any], context: Context[None, Any] | None = None
    ) -> CallToolResult | InputRequiredResult:
        """What the tool answers, or a problem document."""
        try:
            return await super().call_tool(name, arguments, context)
        except UnexpectedToolError:
            logger.exception("tool=%s", name)
            return refusal(_broken())
        except ToolError as exc:
            return refusal(_misused(name, exc))


def serve(allowance: Allowance, folders: Folders) -> None:
    """Serve one client until it hangs up. Ctrl-C ends the process."""
    desk = Desk(allowance)

    def end(*_: object) -> None:
        # Without the interpreter, which would wait for the thread that reads stdin.
        desk.leave()
        os._exit(130)

    signal.signal(signal.SIGINT, end)
    try:
        build(desk, folders).run("stdio")
    finally:
        desk.leave()


def build(desk: Desk, folders: Folders) -> Server:
    """The server with its tools; nothing is connected to yet."""
    server = Server("zaps", title="Zaps", instructions=INSTRUCTIONS, version=_version(), log_level="WARNING")
    recipes, runs, assets = RecipeTools(desk), RunTools(desk), AssetTools(desk)
    looks = (
        recipes.zap_list,
        recipes.zap_show,
        recipes.zap_validate,
        recipes.zap_plan,
        recipes.zap_docs,
        runs.zap_status,
        runs.zap_watch,
        assets.zap_assets,
    )
    for look in looks:
        server.add_tool(look, annotations=_LOOKS)
    for start in (UploadTools(desk, folders).zap_upload, runs.zap_run):
        server.add_tool(start, annotations=_STARTS)
    for end in (runs.zap_approve, runs.zap_reject, runs.zap_cancel):
        server.add_tool(end, annotations=_ENDS)
    return server


def _misused(name: str, exc: ToolError) -> dict[str, Any]:
    """There is no such tool, or its arguments are wrong; what was given is not said again."""
    if not isinstance(exc.__cause__, ValidationError):
        return {
            "code": "TOOL_UNKNOWN",
            "detail": f"There is no tool {name[:60]!r}.",
            "remediation": "List the tools, and call one of those.",
            "retryable": False,
        }
    found = exc.__cause__.errors(include_url=False, include_input=False, include_context=False)
    return {
        "code": "INVALID_REQUEST",
        "detail": f"The arguments of {name} are not what it takes.",
        "remediation": "Mend what `errors` lists; the tool's input schema says what each argument is.",
        "retryable": False,
        "errors": [
            {"code": one["type"].upper(), "message": one["msg"], "path": ".".join(map(str, one["loc"]))}
            for one in found
        ],
    }


def _broken() -> dict[str, Any]:
    return {
        "code": "INTERNAL",
        "detail": "Something failed on our side; the server's stderr says where.",
        "remediation": "Try once more; when it stays, tell the person.",
        "retryable": True,
    }


def _version() -> str:
    try:
        return version("zaps")
    except PackageNotFoundError:  # a checkout
        return ""
