"""Serve the interface, the admin, the workers and the schedule from this machine, until Ctrl-C."""

import argparse

from django.core.management import CommandError, call_command

from cli import faults, inprocess
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("--host", default="127.0.0.1", metavar="H", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="port to listen on (8000)")


def run(args: argparse.Namespace) -> Exit:
    """Serve until stopped."""
    inprocess.stand_here()
    try:
        call_command("up", host=args.host, port=args.port)
    except CommandError as exc:
        raise faults.bad_input("UP_REFUSED", str(exc), "Mend that, or choose another --port.") from None
    return Exit.DONE
