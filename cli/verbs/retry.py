"""Make a waiting or failed step again, and go on with the run."""

import argparse

from cli import hands
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    hands.declare(parser, step="all that wait, or else all that failed")
    hands.declare_waiting(parser)
    hands.declare_money(parser)


def run(args: argparse.Namespace) -> Exit:
    """Exit as the run then stands."""
    return hands.move(args, "retry", spends=True, stepId=args.step, comment=args.comment, maxUsd=hands.usd_of(args))
