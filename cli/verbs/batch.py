"""Run a recipe of the catalogue for every row of a CSV or JSON Lines file, below one cap."""

import argparse
import sys
import time
import uuid
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cli import consent, faults, order, talk
from cli.client import Client, connect
from cli.exits import Exit
from cli.follow import workers_for

_EVERY_S = 1.0
_FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_MOST_BYTES = 1024 * 1024
_PATIENCE_S = 60.0  # with a server that is being started again


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("file", metavar="FILE", nargs="?", help="a .csv whose head names inputs, or a .jsonl")
    what.add_argument("--watch", metavar="BATCH", help="stay with one that was begun before")
    what.add_argument("--cancel", metavar="BATCH", help="begin nothing more of it, and stop what is at work")
    what.add_argument("--resume", metavar="BATCH", help="raise its cap to --max-usd; rows that it had refused begin")
    what.add_argument("--list", action="store_true", help="show the batches")
    parser.add_argument("--recipe", metavar="SLUG", help="of a recipe in the catalogue")
    parser.add_argument("--version", type=int, metavar="N", help="of the recipe; by default the newest")
    parser.add_argument("--mode", choices=["mock", "live"], default="mock", help="mock is free; live spends money")
    parser.add_argument("--max-usd", type=order.usd, metavar="X", help="what all rows together may cost; live needs it")
    parser.add_argument("--max-usd-per-run", type=order.usd, metavar="X", help="what one row may cost")
    consent.declare(parser)
    parser.add_argument("--name", metavar="TEXT", default="", help="what you call it")
    parser.add_argument("--no-wait", action="store_true", help="begin it and come back at once")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when every row is done, 1 when one failed, 3 when the rest waits for a person."""
    client = connect()
    if args.list:
        return _list(client, args)
    if args.cancel:
        client.call("POST", f"{_path(args.cancel)}/cancel")
        return _result(client, args.cancel, args, ended=False)
    batch_id = args.watch or (_resume(client, args) if args.resume else _begin(client, args))
    if args.no_wait:
        return _result(client, batch_id, args, ended=False)
    return _follow(client, batch_id, args)


def _begin(client: Client, args: argparse.Namespace) -> str:
    body = _body(args)
    with faults.inside(args.file):
        quoted = client.call("POST", "/api/batches", {**body, "dryRun": True})
        talk.say(f"{quoted['rowCount']} rows: {talk.costs(quoted)}; the cap is {talk.usd(quoted['maxUsd'])}.")
        _ask(args, args.mode, min(quoted["mostUsd"], quoted["maxUsd"]))
        return str(client.call("POST", "/api/batches", body, key=str(uuid.uuid4()))["batchId"])


def _resume(client: Client, args: argparse.Namespace) -> str:
    if args.max_usd is None:
        raise faults.bad_input("CAP_MISSING", "--resume needs --max-usd, for all rows together.")
    found = _look(client, args.resume)
    _ask(args, found["batch"]["mode"], max(float(args.max_usd) - found["costUsd"], 0.0))
    client.call("POST", f"{_path(args.resume)}/resume", {"maxUsd": float(args.max_usd)})
    return str(args.resume)


def _ask(args: argparse.Namespace, mode: str, most_usd: float) -> None:
    """Of a person at a terminal, before money is spent."""
    if mode == "live" and not args.yes and sys.stdin.isatty() and sys.stderr.isatty():
        consent.ask(most_usd)


def _body(args: argparse.Namespace) -> dict[str, Any]:
    if args.recipe is None:
        raise faults.bad_input("USAGE", "--recipe is missing.", "Name a recipe of the catalogue by its slug.")
    if args.mode == "live" and args.max_usd is None:
        raise faults.bad_input("CAP_MISSING", "A live batch needs --max-usd, for all rows together.")
    path = Path(args.file)
    form = _FORMATS.get(path.suffix.lower())
    if form is None:
        raise faults.bad_input("FILE_UNKNOWN", f"{path} is neither .csv nor .jsonl.")
    said = {
        "name": args.name,
        "slug": args.recipe,
        "version": args.version,
        "mode": args.mode,
        "format": form,
        "rows": _read(path),
        "maxUsd": float(args.max_usd if args.max_usd is not None else Decimal(0)),
        "maxUsdPerRun": None if args.max_usd_per_run is None else float(args.max_usd_per_run),
    }
    return {name: value for name, value in said.items() if value is not None}


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise faults.bad_input("FILE_TOO_LARGE", f"{path} is larger than 1 MB.", "Make several batches of it.")
        return content.decode("utf-8")
    except OSError as exc:
        raise faults.bad_input("FILE_NOT_FOUND", f"{path} cannot be read: {exc.strerror}.") from None
    except UnicodeDecodeError:
        raise faults.bad_input("FILE_NOT_UTF8", f"{path} is no UTF-8 text.", "Save it as UTF-8.") from None


def _list(client: Client, args: argparse.Namespace) -> Exit:
    page = client.call("GET", "/api/batches?limit=100")
    if args.json:
        talk.give_json(page)
    elif page["batches"]:
        head = ("batch", "recipe", "mode", "rows", "cap", "status", "made")
        talk.give(talk.columns([head, *map(_line, page["batches"])]))
    else:
        talk.say("There is no batch. `zap batch FILE --recipe SLUG` begins one.")
    return Exit.DONE


def _line(batch: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        batch["batchId"],
        batch["slug"],
        batch["mode"],
        str(batch["rowCount"]),
        talk.usd(batch["maxUsd"]),
        batch["status"],
        talk.moment(batch["createdAt"]),
    )


def _follow(client: Client, batch_id: str, args: argparse.Namespace) -> Exit:
    """Say how it goes until nothing moves without a person. Ctrl-C leaves it alive."""
    try:
        with workers_for(client) as hands:
            said, silent_since = "", None
            while True:
                try:
                    found = _look(client, batch_id)
                    silent_since = None
                except faults.Fault as exc:
                    silent_since = silent_since or time.monotonic()
                    if not exc.document.get("retryable") or time.monotonic() - silent_since > _PATIENCE_S:
                        raise
                    time.sleep(_EVERY_S)
                    continue
                line = _told(found)
                if line != said:
                    talk.say(line)
                    said = line
                if _stands(found):
                    break
                if hands is not None:
                    hands.look_after()
                time.sleep(_EVERY_S)
            return _result(client, batch_id, args, ended=True)
    except KeyboardInterrupt:
        talk.say(f"Detached; the batch goes on with the next worker. Come back with: zap batch --watch {batch_id}")
        return _result(client, batch_id, args, ended=False)


def _stands(found: Mapping[str, Any]) -> bool:
    """Whether nothing moves without a person."""
    counts = found["counts"]
    is_over = found["batch"]["finishedAt"] is not None
    return is_over or (counts["due"] == 0 and 0 < counts["started"] == counts["waiting"])


def _result(client: Client, batch_id: str, args: argparse.Namespace, *, ended: bool) -> Exit:
    found = _look(client, batch_id)
    if args.json:
        talk.give_json(found)
    else:
        talk.give(batch_id)
        talk.say(_told(found))
        if found["batch"]["reason"]:
            talk.say(found["batch"]["reason"]["message"])
    if not ended:
        return Exit.DONE
    if found["batch"]["finishedAt"] is None:
        return Exit.WAITING
    return Exit.DONE if found["counts"]["done"] == found["batch"]["rowCount"] else Exit.FAILED


def _told(found: Mapping[str, Any]) -> str:
    counted = ", ".join(f"{count} {status}" for status, count in found["counts"].items() if count)
    return f"{found['batch']['rowCount']} rows: {counted}; {talk.usd(found['costUsd'])} so far."


def _look(client: Client, batch_id: str) -> dict[str, Any]:
    found: dict[str, Any] = client.call("GET", f"{_path(batch_id)}?limit=100")
    return found


def _path(batch_id: str) -> str:
    return f"/api/batches/{quote(batch_id, safe='')}"
