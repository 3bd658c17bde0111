"""Say what a recipe's runs cost, where they failed and how they were liked, and what to change."""

import argparse
from collections.abc import Mapping
from typing import Any

from cli import talk
from cli.client import connect
from cli.exits import Exit
from cli.recipes import RecipeText, find_recipe
from zaps.recipe import parse

_DAYS = 30


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("recipe", metavar="RECIPE", help="a slug, or a Zap.md or a folder that holds one")
    parser.add_argument(
        "--since", type=int, default=_DAYS, metavar="DAYS", help=f"so many days back; {_DAYS} by default"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0, whatever the runs show."""
    recipe = find_recipe(args.recipe)
    slug = parse(recipe.source, recipe.prompts).slug if isinstance(recipe, RecipeText) else recipe
    document = connect().call("GET", f"/api/zaps/{slug}/evidence?days={args.since}")
    if args.json:
        talk.give_json(document)
        return Exit.DONE
    parts = [(mode, document[mode]) for mode in ("live", "mock") if document[mode]]
    for mode, part in parts:
        _show(mode, part)
    if not parts:
        talk.say(f"{slug} was not run in the last {args.since} days.")
    return Exit.DONE


def _show(mode: str, part: Mapping[str, Any]) -> None:
    runs = part["runs"]
    ended = ", ".join(f"{runs[how]} {how}" for how in ("done", "failed", "canceled", "open") if runs[how])
    talk.give(f"{runs['count']} {mode} runs: {ended}; {talk.usd(runs['totalUsd'])} in all.")
    if runs["costUsd"]:
        cost, wall = runs["costUsd"], runs["wallS"]
        talk.give(
            f"A run costs {talk.usd(cost['median'])}, at most {talk.usd(cost['p95'])} (95 %), quoted"
            f" {talk.usd(runs['quoteUsd'])}; it takes {talk.span(wall['median'])}, at most {talk.span(wall['p95'])}."
        )
    talk.give("")
    talk.give(talk.columns([_HEAD, *map(_row, part["steps"])]))
    for finding in part["findings"]:
        talk.give(f"\n{finding['message']}\n  {finding['suggestion']}")
    talk.give("")


_HEAD = ("step", "attempts", "failed", "retries", "fallback", "score", "votes", "cost", "share", "time", "share")


def _row(step: Mapping[str, Any]) -> tuple[str, ...]:
    worst = next((f" {one['code']}" for one in step["failures"]), "")
    scores, votes = step["scores"], step["votes"]
    return (
        step["stepId"],
        str(step["attempts"]),
        f"{step['failedAttempts']}{worst}",
        str(step["retries"]),
        str(step["byFallback"]),
        f"{scores['median']:.2f}" if scores else "—",
        f"+{votes['up']} -{votes['down']}" if votes["up"] or votes["down"] else "—",
        talk.usd(step["costUsd"]),
        f"{step['costShare']:.0%}",
        talk.span(step["medianS"]) if step["medianS"] is not None else "—",
        f"{step['timeShare']:.0%}",
    )
