"""Say what you think of a run, a step or an asset. It moves nothing."""

import argparse

from cli import hands
from cli.client import connect
from cli.exits import Exit
from cli.follow import result


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    hands.declare(parser, step="the run as a whole")
    parser.add_argument("--vote", choices=["up", "down"], required=True, help="good, or not")
    parser.add_argument("--asset", metavar="A", help="an asset's id")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was kept."""
    client = connect()
    hands.tell(client, args.run, "feedback", vote=args.vote, stepId=args.step, assetId=args.asset, comment=args.comment)
    return result(client, args.run, as_json=args.json, ended=False)
