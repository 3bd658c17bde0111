"""Begin a new run of the same recipe with some inputs changed; what nothing changes is taken over."""

import argparse
from collections.abc import Mapping
from typing import Any

from cli import consent, hands, inputs, order
from cli.client import Client, connect
from cli.exits import Exit
from cli.faults import Fault


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    hands.declare(parser, comment=False)
    order.declare_inputs(parser)
    parser.add_argument("--mode", choices=["mock", "live"], help="by default as the run that it branches off")
    hands.declare_waiting(parser)
    hands.declare_money(parser, most_is="refuse when it would cost more; lowers the recipe's cap")


def run(args: argparse.Namespace) -> Exit:
    """Exit as the new run ended."""
    client = connect()
    parent = client.call("GET", hands.path_of(args.run))["run"]
    pairs = inputs.split(args.inputs)
    values = inputs.convert(pairs, _types(parent, client), client.send) if pairs else None
    most = hands.usd_of(args)
    if consent.is_needed(args, args.mode or parent["providerMode"]):
        most = parent["capUsd"]
        consent.ask(parent["capUsd"])
    accepted = hands.tell(client, args.run, "fork", inputs=values, mode=args.mode, extendCount=args.extend, maxUsd=most)
    return hands.stay(client, accepted["runId"], args)


def _types(run: Mapping[str, Any], client: Client) -> dict[str, str]:
    """What the recipe's inputs are, as the catalogue knows it; else as the values look that the run has."""
    if run["zapVersion"]:
        try:
            return order.types_of_slug(run["zapSlug"], client, version=run["zapVersion"])
        except Fault:
            pass  # it was taken out of the catalogue, or is somebody else's
    return {name: _looks(value) for name, value in run["inputs"].items()}


def _looks(value: Any) -> str:
    if isinstance(value, int | float):
        return "number"
    return "image" if str(value).startswith("input:") else "string"
