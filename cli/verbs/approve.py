"""Let what a waiting step made count, and go on with the run."""

import argparse

from cli import hands
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    hands.declare(parser, step="the one that waits")
    hands.declare_waiting(parser)
    parser.add_argument("--asset", metavar="A", help="which of its results; by default the best")


def run(args: argparse.Namespace) -> Exit:
    """Exit as the run then stands."""
    return hands.move(args, "approve", stepId=args.step, assetId=args.asset, comment=args.comment)
