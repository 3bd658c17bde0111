"""Delete what was given, said and made in a run that has ended. What it cost stays on record."""

import argparse

from cli import certainty, hands, talk
from cli.client import connect
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    hands.declare(parser, comment=False)
    certainty.declare(parser)


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it is deleted, 4 while it, or a job of it at a provider, has not ended."""
    certainty.ask(args, f"Delete {args.run} with its files? It cannot be brought back.")
    connect().call("DELETE", hands.path_of(args.run))
    if args.json:
        talk.give_json({"deleted": args.run})
    else:
        talk.say("It is deleted; what it cost stays on record.")
    return Exit.DONE
