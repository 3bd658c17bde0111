"""Money is spent only where somebody said so: with --yes, with --max-usd, or at a terminal."""

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from cli import faults, talk
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """The argument that agrees beforehand."""
    parser.add_argument("--yes", action="store_true", help="spend without asking, where it is a live run")


def ask(usd: float, *, otherwise: str = "Say --yes, or --max-usd X for what it may cost.") -> None:
    """Raises Fault unless the person at the terminal agrees to spend that much. `otherwise`: how to agree elsewhere."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise faults.fault(
            "LIVE_NEEDS_CONSENT",
            "A live run spends money, and nobody is here to agree to it.",
            exit_code=Exit.REFUSED,
            remediation=otherwise,
        )
    talk.say(f"Spend up to {talk.usd(usd)}? [y/N]")
    if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
        raise faults.fault("LIVE_NOT_AGREED", "Nothing was started, nothing was spent.", exit_code=Exit.REFUSED)


def is_needed(args: argparse.Namespace, mode: str) -> bool:
    """Whether a run of that mode spends money that nobody has agreed to yet."""
    return mode == "live" and not args.yes and args.max_usd is None


def ask_for_rest(args: argparse.Namespace, run: Mapping[str, Any]) -> None:
    """Raises Fault unless it is agreed that the run may spend what is left of its cap."""
    if is_needed(args, run["providerMode"]):
        ask(max(run["capUsd"] - run["costUsd"], 0.0))
