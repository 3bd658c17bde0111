"""The tools by name, and the transport: lines of JSON on stdin and stdout."""

from importlib.metadata import PackageNotFoundError, version

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

from cli.agent.assets import AssetTools
from cli.agent.desk import Desk
from cli.agent.purse import Allowance
from cli.agent.recipes import RecipeTools
from cli.agent.runs import RunTools

INSTRUCTIONS = """\
Zaps makes films from recipes (a Zap.md: steps that make pictures, clips and sounds, and join them).
Find a recipe with zap_list, or write one: zap_docs recipes is the grammar, zap_validate says what is wrong.
zap_plan says what a run would cost. zap_run starts one; its mode mock is free. zap_watch waits for it.
A step that waits for approval waits for the person, not for you: show them what was made and ask.
Every refusal has a code, a sentence and a remediation: do what it says instead of trying the same again.
"""
_LOOKS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
_STARTS = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False)
_ENDS = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True)


def serve(allowance: Allowance) -> None:
    """Serve one client until it hangs up."""
    desk = Desk(allowance)
    try:
        build(desk).run("stdio")
    finally:
        desk.leave()


def build(desk: Desk) -> MCPServer[None]:
    """The server with its tools; nothing is connected to yet."""
    server: MCPServer[None] = MCPServer(
        "zaps", title="Zaps", instructions=INSTRUCTIONS, version=_version(), log_level="WARNING"
    )
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
    server.add_tool(runs.zap_run, annotations=_STARTS)
    for end in (runs.zap_approve, runs.zap_reject, runs.zap_cancel):
        server.add_tool(end, annotations=_ENDS)
    return server


def _version() -> str:
    try:
        return version("zaps")
    except PackageNotFoundError:  # a checkout
        return ""
