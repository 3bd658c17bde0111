"""Refuse what a waiting step made; the step fails, and so does its run."""

import argparse

from cli import hands
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    hands.declare(parser, step="the one that waits")
    hands.declare_waiting(parser)


def run(args: argparse.Namespace) -> Exit:
    """Exit as the run then stands: 1, unless other steps go on waiting."""
    return hands.move(args, "reject", stepId=args.step, comment=args.comment)
