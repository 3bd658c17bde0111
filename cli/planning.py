"""`plan`, and `run --mode plan`: what a run would do and cost."""

import argparse
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from cli import faults, order, talk
from cli.client import connect
from cli.exits import Exit
from cli.recipes import RecipeText, find_recipe
from providers import prices
from providers.registry import Configured
from zaps.bundled import bundled
from zaps.document import plan_document
from zaps.plan import make_plan
from zaps.recipe import parse


def run(args: argparse.Namespace) -> Exit:
    """Print the plan. Raises Fault."""
    recipe = find_recipe(args.recipe)
    if isinstance(recipe, str) and not os.environ.get("ZAP_API_URL"):
        recipe = _bundled(recipe) or recipe
    place = recipe.place if isinstance(recipe, RecipeText) else ""
    with faults.inside(place):
        document = _here(args, recipe) if isinstance(recipe, RecipeText) else _there(args, recipe)
    if args.json:
        talk.give_json(document)
    else:
        _show(document, place)
    return Exit.DONE


def _bundled(slug: str) -> RecipeText | None:
    """The recipe of that name that came with Zaps; their slugs belong to nobody else."""
    for found in bundled():
        if found.slug == slug:
            return RecipeText(place=slug, source=found.source, prompts=dict(found.prompts))
    return None


def _here(args: argparse.Namespace, recipe: RecipeText) -> dict[str, Any]:
    """Pure: no server, no database."""
    body = order.body_of(args, recipe, order.types_of_text(recipe), _stays_here)
    plan = make_plan(
        parse(recipe.source, recipe.prompts),
        inputs=body["inputs"],
        mode="plan",
        extend_count=args.extend,
        provider=os.environ.get("ZAP_PROVIDER") or args.provider,
        max_usd=args.max_usd,
        judge_usd=_judge_usd(),
        providers=Configured(),
        prices=prices.load(),
        today=datetime.now(UTC).date(),
    )
    return plan_document(plan)


def _there(args: argparse.Namespace, slug: str) -> dict[str, Any]:
    client = connect()
    body = order.body_of(args, slug, order.types_of_slug(slug, client), client.send)
    del body["slug"]
    document: dict[str, Any] = client.call("POST", f"/api/zaps/{slug}/plan", body)
    return document


def _stays_here(path: Path) -> str:
    """What a file is makes no difference to a plan."""
    return "mock:file"


def _judge_usd() -> Decimal:
    """What looking at one candidate costs where a model looks; a value that is no number is the server's to refuse."""
    try:
        return Decimal(os.environ.get("ZAP_JUDGE_USD") or 0) if os.environ.get("ZAP_JUDGE_URL") else Decimal(0)
    except InvalidOperation:
        return Decimal(0)


def _price(step: Mapping[str, Any]) -> str:
    """What is held for it, and how many of it that makes."""
    several = f" for {step['candidates']}" if step["candidates"] > 1 else ""
    return f"{talk.usd(step['firstUsd'])}{several}"


def _show(document: Mapping[str, Any], place: str) -> None:
    head = ("step", "kind", "provider", "model", "after", "at first")
    rows = [
        (
            step["stepId"],
            step["kind"],
            step["provider"],
            step["model"] or "",
            ", ".join(step["parents"]),
            "skipped" if step["status"] == "skipped" else _price(step),
        )
        for step in document["steps"]
    ]
    talk.give(talk.columns([head, *rows]))
    talk.give(f"\n{document['slug']}: {talk.costs(document)}; the cap is {talk.usd(document['capUsd'])}.")
    for warning in document["warnings"]:
        talk.say(f"warning: {faults.problem_line(warning, place=place)}")
