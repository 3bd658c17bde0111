"""`plan`, and `run --mode plan`: what a run would do and cost."""

import argparse
import os
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from cli import faults, order, talk
from cli.client import connect
from cli.exits import Exit
from cli.recipes import RecipeText, find_recipe
from providers import prices
from providers.registry import PROVIDERS
from zaps.bundled import bundled
from zaps.plan import make_plan
from zaps.planned import Plan
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
    body = order.body_of(args, recipe, order.types_of_text(recipe))
    plan = make_plan(
        parse(recipe.source, recipe.prompts),
        inputs=body["inputs"],
        mode="plan",
        extend_count=args.extend,
        provider=os.environ.get("ZAP_PROVIDER") or args.provider,
        max_usd=args.max_usd,
        providers=PROVIDERS,
        prices=prices.load(),
        today=datetime.now(UTC).date(),
    )
    return plan_document(plan)


def _there(args: argparse.Namespace, slug: str) -> dict[str, Any]:
    client = connect()
    body = order.body_of(args, slug, order.types_of_slug(slug, client))
    del body["slug"]
    document: dict[str, Any] = client.call("POST", f"/api/zaps/{slug}/plan", body)
    return document


def plan_document(plan: Plan) -> dict[str, Any]:
    """The JSON that the HTTP interface answers for a plan, made without it: this must work without a server."""
    return {
        "runId": None,
        "status": "planned",
        "slug": plan.slug,
        "version": plan.version,
        "mode": plan.mode,
        "quoteUsd": float(plan.quote_usd),
        "capUsd": float(plan.cap_usd),
        "steps": [
            {
                "stepId": step.step_id,
                "order": step.position,
                "kind": step.kind,
                "provider": step.provider,
                "model": step.model,
                "quoteUsd": float(step.quote_usd),
                "status": "planned",
                "parents": list(step.parents),
                "prompt": step.prompt,
            }
            for step in plan.steps
        ],
        "warnings": [asdict(problem) for problem in plan.warnings],
    }


def _show(document: Mapping[str, Any], place: str) -> None:
    head = ("step", "kind", "provider", "model", "after", "at most")
    rows = [
        (
            step["stepId"],
            step["kind"],
            step["provider"],
            step["model"] or "",
            ", ".join(step["parents"]),
            talk.usd(step["quoteUsd"]),
        )
        for step in document["steps"]
    ]
    talk.give(talk.columns([head, *rows]))
    talk.give(
        f"\n{document['slug']}: {talk.usd(document['quoteUsd'])} at most; the cap is {talk.usd(document['capUsd'])}."
    )
    for warning in document["warnings"]:
        talk.say(f"warning: {faults.problem_line(warning, place=place)}")
