"""Tools that move nothing: recipes, texts, quotes, the manual."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from mcp.types import CallToolResult
from pydantic import Field

from cli import faults, manuals
from cli.agent.desk import Desk
from cli.agent.telling import answer, tool

Slug = Annotated[str, Field(description="A recipe of the catalogue, as zap_list names it.")]
Source = Annotated[str | None, Field(description="Instead of a slug: the whole text of a Zap.md.")]
Prompts = Annotated[dict[str, str] | None, Field(description="Prompt files of `source`, by path: prompts/a.md.")]
Inputs = Annotated[
    dict[str, str | float | bool] | None,
    Field(description="The recipe's inputs by name. Media is an https address, or what zap_upload gave."),
]
MaxUsd = Annotated[float | None, Field(ge=0, description="The most that the run may cost; lowers the recipe's cap.")]
Extend = Annotated[int | None, Field(ge=0, le=64, description="How often repeatable steps repeat.")]
_ROW = ("slug", "title", "description", "tags", "estimateUsd", "capUsd", "inputs", "providers")


def order_of(
    slug: str | None,
    source: str | None,
    prompts: Mapping[str, str] | None,
    inputs: Mapping[str, Any] | None,
    **rest: Any,
) -> dict[str, Any]:
    """The body of a request. Raises Fault unless exactly one of slug and source is given."""
    if (slug is None) == (source is None):
        raise faults.bad_input("RECIPE_MISSING", "Give either slug or source.", "zap_list names the recipes.")
    recipe: dict[str, Any] = {"slug": slug} if source is None else {"source": source, "prompts": dict(prompts or {})}
    return {
        **recipe,
        "inputs": dict(inputs or {}),
        **{name: value for name, value in rest.items() if value is not None},
    }


class RecipeTools:
    """Bound to one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    @tool
    def zap_list(
        self,
        query: Annotated[str, Field(description="Words that must all occur; empty for every recipe.")] = "",
        cursor: Annotated[str | None, Field(description="nextCursor of the answer before.")] = None,
        limit: Annotated[int, Field(ge=1, le=100)] = 20,
    ) -> CallToolResult:
        """List or search the recipes (Zaps) that can be run: what each makes, asks for and costs at most."""
        asked = {"query": query, "limit": limit, **({"cursor": cursor} if cursor else {})}
        page = self._desk.client.call("GET", f"/api/zaps?{urlencode(asked)}")
        zaps = [{name: one[name] for name in _ROW} for one in page["zaps"]]
        return answer({"zaps": zaps, "nextCursor": page["nextCursor"]})

    @tool
    def zap_show(self, slug: Slug) -> CallToolResult:
        """Show one recipe whole: its inputs and its text, which is a good pattern for a new one."""
        return answer(self._desk.client.call("GET", f"/api/zaps/{quote(slug, safe='')}"))

    @tool
    def zap_validate(
        self, source: Annotated[str, Field(description="The whole text of a Zap.md.")], prompts: Prompts = None
    ) -> CallToolResult:
        """Check the text of a Zap.md. Says everything that is wrong, with line, column and what is allowed there."""
        return answer(
            self._desk.client.call("POST", "/api/zaps/validate", {"source": source, "prompts": prompts or {}})
        )

    @tool
    def zap_plan(
        self,
        slug: Annotated[str | None, Field(description="A recipe of the catalogue.")] = None,
        source: Source = None,
        prompts: Prompts = None,
        inputs: Inputs = None,
        max_usd: MaxUsd = None,
        extend_count: Extend = None,
    ) -> CallToolResult:
        """Say what a live run would do and cost, step by step. Nothing is started and nothing is spent."""
        body = order_of(slug, source, prompts, inputs, maxUsd=max_usd, extendCount=extend_count)
        plan = self._desk.client.call("POST", "/api/zaps/run", {**body, "mode": "plan"})
        return answer({**plan, "spending": self._desk.spending()})

    @tool
    def zap_docs(
        self,
        topic: Annotated[str | None, Field(description="A page, or page#section, as recipes#steps.")] = None,
        search: Annotated[str | None, Field(description="Words to look for instead.")] = None,
    ) -> CallToolResult:
        """Read the manual of Zaps: how recipes are written, and all else. With neither argument, the list of pages."""
        if topic:
            return answer({"topic": topic, "text": manuals.read(topic)})
        if search:
            return answer({"hits": [asdict(hit) for hit in manuals.search(search)[:20]]})
        pages = [{"topic": page.topic, "about": page.about} for page in manuals.pages().values()]
        return answer({"pages": pages})
