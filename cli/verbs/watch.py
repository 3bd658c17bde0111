"""Follow a run until it ends or waits for a person."""

import argparse
from urllib.parse import quote

from cli.client import connect
from cli.exits import Exit
from cli.follow import follow


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("run", metavar="RUN", help="a run's id")
    parser.add_argument("--json", action="store_true", help="print the run as one JSON document when it stands still")


def run(args: argparse.Namespace) -> Exit:
    """Exit as the run ended."""
    return follow(connect(), quote(args.run, safe=""), as_json=args.json)
