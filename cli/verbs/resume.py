"""Go on with a run that failed, was canceled or waits for money. What is done stays done."""

import argparse

from cli import hands
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    hands.declare(parser, comment=False)
    hands.declare_waiting(parser)
    hands.declare_money(parser)


def run(args: argparse.Namespace) -> Exit:
    """Exit as the run then stands."""
    return hands.move(args, "resume", spends=True, maxUsd=hands.usd_of(args))
