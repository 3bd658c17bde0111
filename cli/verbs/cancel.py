"""Stop a run. What a provider is already busy with is told to stop, and billed truthfully."""

import argparse

from cli import hands
from cli.client import connect
from cli.exits import Exit
from cli.follow import result


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    hands.declare(parser, comment=False)


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it is canceled, 4 when it had ended before."""
    client = connect()
    hands.tell(client, args.run, "cancel")
    return result(client, args.run, as_json=args.json, ended=False)
