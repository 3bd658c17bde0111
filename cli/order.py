"""What `run` and `plan` share: their arguments, and from them the body of the request."""

import argparse
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from cli import inputs
from cli.client import Client
from cli.recipes import RecipeText
from zaps.recipe import parse


def declare(parser: argparse.ArgumentParser) -> None:
    """The arguments of a verb that takes a recipe with inputs."""
    parser.add_argument("recipe", metavar="RECIPE", help="a Zap.md, a folder that holds one, or a slug")
    declare_inputs(parser)
    parser.add_argument("--provider", metavar="P", help="use this provider for every step that needs one")
    parser.add_argument("--max-usd", type=usd, metavar="X", help="refuse when it would cost more")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def declare_inputs(parser: argparse.ArgumentParser) -> None:
    """The arguments that change what a recipe makes."""
    parser.add_argument(
        "--input",
        action="append",
        default=[],
        metavar="K=V",
        dest="inputs",
        help="an input of the recipe, repeatable; a file for media; K=@FILE reads the file",
    )
    parser.add_argument(
        "--extend", type=_count, metavar="N", help="how often repeatable steps repeat; by default as the recipe says"
    )


def body_of(
    args: argparse.Namespace, recipe: RecipeText | str, types: Mapping[str, str], send: inputs.Send
) -> dict[str, Any]:
    """The request, without its mode; large files have been sent by then. Raises Fault."""
    body: dict[str, Any] = {"inputs": inputs.convert(inputs.split(args.inputs), types, send)}
    if isinstance(recipe, RecipeText):
        body |= {"source": recipe.source, "prompts": recipe.prompts}
    else:
        body["slug"] = recipe
    if args.extend is not None:
        body["extendCount"] = args.extend
    if args.provider is not None:
        body["provider"] = args.provider
    if args.max_usd is not None:
        body["maxUsd"] = float(args.max_usd)
    return body


def types_of_text(recipe: RecipeText) -> dict[str, str]:
    """The declared type of each input. Raises RecipeInvalid."""
    return {name: str(spec.type) for name, spec in parse(recipe.source, recipe.prompts).inputs.items()}


def types_of_slug(slug: str, client: Client, *, version: int | None = None) -> dict[str, str]:
    """The same for a recipe of the catalogue, by default its newest version. Raises Fault where there is none."""
    query = f"?version={version}" if version else ""
    return {one["name"]: one["type"] for one in client.call("GET", f"/api/zaps/{slug}{query}")["inputs"]}


def _count(word: str) -> int:
    if not word.isascii() or not word.isdigit() or int(word) > 64:
        raise argparse.ArgumentTypeError("it is a whole number from 0 to 64")
    return int(word)


def usd(word: str) -> Decimal:
    """An argument that is an amount of money."""
    try:
        amount = Decimal(word)
    except InvalidOperation:
        raise argparse.ArgumentTypeError("it is a number of dollars") from None
    if not amount.is_finite() or not 0 <= amount < 1_000_000:
        raise argparse.ArgumentTypeError("it is a number of dollars from 0 to 1,000,000")
    return amount
