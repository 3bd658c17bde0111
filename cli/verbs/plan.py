"""Say what a run would do and cost. A recipe in a file, or one that came with Zaps, needs no server."""

import argparse

from cli import order, planning
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    order.declare(parser)


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it could be run."""
    return planning.run(args)
