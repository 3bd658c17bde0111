"""Make a film from a recipe: plan it, start it, follow it until it ends or waits for a person."""

import argparse
import uuid
from typing import Any

from cli import consent, faults, order, planning, talk
from cli.client import Client, connect
from cli.exits import Exit
from cli.follow import follow, result
from cli.recipes import RecipeText, find_recipe


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    order.declare(parser)
    parser.add_argument(
        "--mode", choices=["plan", "mock", "live"], default="mock", help="mock is free; live spends money"
    )
    consent.declare(parser)
    parser.add_argument("--no-wait", action="store_true", help="start it and come back at once")


def run(args: argparse.Namespace) -> Exit:
    """Exit as the run ended."""
    if args.mode == "plan":
        return planning.run(args)
    recipe = find_recipe(args.recipe)
    if isinstance(recipe, RecipeText):
        with faults.inside(recipe.place):
            types = order.types_of_text(recipe)
        client = connect()
    else:
        client = connect()
        types = order.types_of_slug(recipe, client)
    body = {**order.body_of(args, recipe, types, client.send), "mode": args.mode}
    with faults.inside(recipe.place if isinstance(recipe, RecipeText) else ""):
        if args.mode == "live":
            body = _consent(args, client, body)
        accepted = client.call("POST", "/api/zaps/run", body, key=str(uuid.uuid4()))
    for warning in accepted["warnings"]:
        talk.say(f"warning: {faults.problem_line(warning, place=args.recipe)}")
    run_id = accepted["runId"]
    if args.no_wait:
        return result(client, run_id, as_json=args.json, ended=False)
    return follow(client, run_id, as_json=args.json)


def _consent(args: argparse.Namespace, client: Client, body: dict[str, Any]) -> dict[str, Any]:
    """The order with the money agreed to: exactly the text that was quoted is what runs. Raises Fault."""
    quote = client.call("POST", "/api/zaps/run", {**body, "mode": "plan"})
    talk.say(f"{quote['slug']}: {len(quote['steps'])} steps, {talk.costs(quote)}, cap {talk.usd(quote['capUsd'])}.")
    if consent.is_needed(args, "live"):
        consent.ask(quote["mostUsd"])
    return {**body, "version": quote["version"]} if "slug" in body and quote["version"] else body
