"""Check recipe files. Nothing is run and no server is needed."""

import argparse

from cli import check
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    check.declare(parser)


def run(args: argparse.Namespace) -> Exit:
    """Exit 2 when a file is wrong."""
    return check.report([check.validate(file) for file in args.files], as_json=args.json, good="valid")
