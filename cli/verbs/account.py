"""Take out what is held of your account, or delete it: closed at once, emptied once nothing of it is at a provider."""

import argparse
from pathlib import Path

from cli import certainty, faults, talk
from cli.client import connect
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    taken = verbs.add_parser("export", help="write all that is held of you into a ZIP", allow_abbrev=False)
    taken.add_argument("file", metavar="FILE", type=Path, help="where to; there must be no such file")
    gone = verbs.add_parser("delete", help="close your account and empty it", allow_abbrev=False)
    gone.add_argument("name", metavar="NAME", help="the account's name, typed out")
    certainty.declare(gone)
    for verb in (taken, gone):
        verb.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was done."""
    return {"export": _export, "delete": _delete}[args.action](args)


def _export(args: argparse.Namespace) -> Exit:
    client = connect()
    try:
        with args.file.open("xb") as into:
            client.fetch("/api/account/export", into)
    except FileExistsError:
        raise faults.bad_input("FILE_EXISTS", f"{args.file} is there already.", "Name another file.") from None
    except BaseException:
        args.file.unlink(missing_ok=True)
        raise
    if args.json:
        talk.give_json({"file": str(args.file)})
    else:
        talk.say(f"It is in {args.file}.")
    return Exit.DONE


def _delete(args: argparse.Namespace) -> Exit:
    certainty.ask(args, f"Delete the account {args.name} with all that it holds? It cannot be brought back.")
    begun = connect().call("DELETE", "/api/account", {"confirm": args.name})
    if args.json:
        talk.give_json(begun)
    else:
        talk.give(begun["receiptUrl"])
        talk.say("The account is closed, and is being emptied. That address says how far it is; it is not shown again.")
    return Exit.DONE
