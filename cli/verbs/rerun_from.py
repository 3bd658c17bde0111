"""Make a step and everything that follows from it again. What came before stays as it is."""

import argparse

from cli import hands
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    hands.declare(parser)
    parser.add_argument("step", metavar="STEP", help="a step's id")
    hands.declare_waiting(parser)
    hands.declare_money(parser)


def run(args: argparse.Namespace) -> Exit:
    """Exit as the run then stands."""
    return hands.move(
        args, "rerun-from", spends=True, stepId=args.step, comment=args.comment, maxUsd=hands.usd_of(args)
    )
