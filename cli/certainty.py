"""What cannot be brought back is deleted only where somebody said so: with --yes, or at a terminal."""

import argparse
import sys

from cli import faults, talk
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """The argument that agrees beforehand."""
    parser.add_argument("--yes", action="store_true", help="delete without asking")


def ask(args: argparse.Namespace, question: str) -> None:
    """Raises Fault unless it was agreed to."""
    if args.yes:
        return
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise faults.fault(
            "DELETION_NEEDS_CONSENT",
            "This cannot be undone, and nobody is here to agree to it.",
            exit_code=Exit.REFUSED,
            remediation="Say --yes.",
        )
    talk.say(f"{question} [y/N]")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise faults.fault("DELETION_NOT_AGREED", "Nothing was deleted.", exit_code=Exit.REFUSED)
