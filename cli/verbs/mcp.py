"""Let an agent work with Zaps: a server of the Model Context Protocol on stdin and stdout, which a client starts.

It spends nothing unless it is told to: live runs need --allow-spend and --max-usd. It reads no file but in --folder.
"""

import argparse
import importlib
from decimal import Decimal
from pathlib import Path

from cli import faults, order
from cli.agent.folders import Folders
from cli.agent.purse import Allowance
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("--allow-spend", action="store_true", help="let the agent start live runs, which cost money")
    parser.add_argument(
        "--max-usd", type=order.usd, metavar="X", help="what all live runs of this server may cost together"
    )
    parser.add_argument(
        "--max-usd-call", type=order.usd, metavar="Y", help="what one call may commit; by default as much as all"
    )
    parser.add_argument(
        "--folder",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="let the agent upload pictures, clips and sounds from here; may be given several times",
    )


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when the client has hung up, 130 after Ctrl-C."""
    allowance, folders = _allowance(args), Folders(args.folder)
    try:
        server = importlib.import_module("cli.agent.server")
    except ModuleNotFoundError as exc:
        if exc.name not in {"mcp", "pydantic"}:
            raise
        raise faults.bad_input(
            "MCP_NOT_INSTALLED", "The package mcp is not installed.", "Install Zaps with its extra: zaps[mcp]."
        ) from None
    server.serve(allowance, folders)
    return Exit.DONE


def _allowance(args: argparse.Namespace) -> Allowance:
    given = args.max_usd is not None or args.max_usd_call is not None
    if not args.allow_spend and given:
        raise faults.bad_input("USAGE", "A limit without --allow-spend allows nothing.", "Add --allow-spend.")
    if not args.allow_spend:
        return Allowance()
    if not args.max_usd:
        raise faults.bad_input("USAGE", "--allow-spend needs a limit above nothing.", "Add --max-usd X.")
    call: Decimal = args.max_usd if args.max_usd_call is None else min(args.max_usd_call, args.max_usd)
    return Allowance(total_usd=args.max_usd, call_usd=call)
