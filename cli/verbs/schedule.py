"""Run a recipe of the catalogue by the clock: make schedules, look at them, pause, resume and delete them."""

import argparse
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cli import inputs, order, talk
from cli.client import Client, connect
from cli.exits import Exit

_NEVER = "—"


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    add = verbs.add_parser("add", help="make a schedule", allow_abbrev=False)
    add.add_argument("recipe", metavar="SLUG", help="of a recipe in the catalogue")
    when = add.add_mutually_exclusive_group(required=True)
    when.add_argument("--cron", metavar="C", help='minute, hour, day, month, day of the week: "0 7 * * mon-fri"')
    when.add_argument("--every", type=int, metavar="S", help="or every so many seconds, from 60")
    add.add_argument("--zone", metavar="Z", help="whose wall clock --cron goes by, such as Europe/Berlin (UTC)")
    add.add_argument("--input", action="append", default=[], metavar="K=V", dest="inputs", help="repeatable")
    add.add_argument("--version", type=int, metavar="N", help="of the recipe; by default whatever is the newest")
    add.add_argument("--mode", choices=["mock", "live"], default="mock", help="mock is free; live spends money")
    add.add_argument("--max-usd", type=order.usd, metavar="X", help="what one run may cost; live needs it")
    add.add_argument("--max-usd-per-day", type=order.usd, metavar="X", help="what a UTC day may; live needs it")
    add.add_argument("--overlap", choices=["skip", "allow"], help="while the last run is at work (skip)")
    add.add_argument("--give-up-after", type=int, metavar="N", help="pause after so many failures in a row (3)")
    add.add_argument("--name", metavar="TEXT", help="what you call it")
    shown = verbs.add_parser("list", help="show the schedules", allow_abbrev=False)
    for word, purpose in (
        ("show", "show one, and what became of its due times"),
        ("pause", "let it be due no more"),
        ("resume", "let it be due again, from now on"),
        ("delete", "do away with it and its history; its runs stay"),
    ):
        one = verbs.add_parser(word, help=purpose, allow_abbrev=False)
        one.add_argument("schedule", metavar="SCHEDULE", help="its id, schedule_…")
        one.add_argument("--json", action="store_true", help="print one JSON document")
    for verb in (add, shown):
        verb.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was done."""
    actions = {"add": _add, "list": _list, "show": _show, "pause": _pause, "resume": _resume, "delete": _delete}
    return actions[args.action](connect(), args)


def _add(client: Client, args: argparse.Namespace) -> Exit:
    types = order.types_of_slug(args.recipe, client, version=args.version)
    said = {
        "slug": args.recipe,
        "version": args.version,
        "inputs": inputs.convert(inputs.split(args.inputs), types, client.send),
        "mode": args.mode,
        "cron": args.cron,
        "everyS": args.every,
        "timeZone": args.zone,
        "overlap": args.overlap,
        "giveUpAfter": args.give_up_after,
        "maxUsd": None if args.max_usd is None else float(args.max_usd),
        "maxUsdPerDay": None if args.max_usd_per_day is None else float(args.max_usd_per_day),
        "name": args.name,
    }
    body = {name: value for name, value in said.items() if value is not None}
    return _told(client.call("POST", "/api/schedules", body, key=str(uuid.uuid4())), args)


def _list(client: Client, args: argparse.Namespace) -> Exit:
    rows: list[Mapping[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.call("GET", f"/api/schedules?limit=100&cursor={quote(cursor, safe='')}")
        rows, cursor = [*rows, *page["schedules"]], page["nextCursor"]
    if args.json:
        talk.give_json({"schedules": rows})
    elif rows:
        talk.give(talk.columns([("schedule", "recipe", "mode", "when", "status", "next"), *map(_line, rows)]))
    else:
        talk.say("There is no schedule. `zap schedule add SLUG --cron C` makes one.")
    return Exit.DONE


def _show(client: Client, args: argparse.Namespace) -> Exit:
    schedule = client.call("GET", _path(args))
    page = client.call("GET", f"{_path(args)}/runs")
    if args.json:
        talk.give_json({"schedule": schedule, **page})
        return Exit.DONE
    _tell(schedule)
    if page["firings"]:
        talk.give(talk.columns([("due", "status", "run", "cost", "why"), *map(_firing, page["firings"])]))
    return Exit.DONE


def _pause(client: Client, args: argparse.Namespace) -> Exit:
    return _told(client.call("PATCH", _path(args), {"paused": True}), args)


def _resume(client: Client, args: argparse.Namespace) -> Exit:
    return _told(client.call("PATCH", _path(args), {"paused": False}), args)


def _delete(client: Client, args: argparse.Namespace) -> Exit:
    client.call("DELETE", _path(args))
    if args.json:
        talk.give_json({"deleted": args.schedule})
    else:
        talk.say("It is gone; its runs stay.")
    return Exit.DONE


def _told(schedule: Mapping[str, Any], args: argparse.Namespace) -> Exit:
    if args.json:
        talk.give_json(schedule)
    else:
        talk.give(schedule["scheduleId"])
        _tell(schedule)
    return Exit.DONE


def _tell(schedule: Mapping[str, Any]) -> None:
    if schedule["nextAt"] is not None:
        talk.say(f"{schedule['slug']}, {_when(schedule)}: next {talk.moment(schedule['nextAt'])}.")
    else:
        talk.say(f"{schedule['slug']}, {_when(schedule)}: paused. {schedule['reason']['message']}")
    if schedule["lastError"]:
        error = schedule["lastError"]
        talk.say(f"It failed {schedule['failures']} times in a row: {error['code']}: {error['message']}")


def _when(schedule: Mapping[str, Any]) -> str:
    return f"{schedule['cron']} {schedule['timeZone']}" if schedule["cron"] else f"every {schedule['everyS']} s"


def _line(schedule: Mapping[str, Any]) -> tuple[str, ...]:
    due = _NEVER if schedule["nextAt"] is None else talk.moment(schedule["nextAt"])
    return (
        schedule["scheduleId"], schedule["slug"], schedule["mode"], _when(schedule), schedule["status"], due
    )  # fmt: skip


def _firing(firing: Mapping[str, Any]) -> tuple[str, ...]:
    status = f"missed {firing['times']}" if firing["status"] == "missed" else firing["status"]
    why = firing["errorDetail"]["message"] if firing["errorDetail"] else ""
    return (talk.moment(firing["dueAt"]), status, firing["runId"] or _NEVER, talk.usd(firing["costUsd"]), why)


def _path(args: argparse.Namespace) -> str:
    return f"/api/schedules/{quote(args.schedule, safe='')}"
