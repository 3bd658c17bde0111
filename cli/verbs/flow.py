"""Send events to flows, and see what became of them."""

import argparse
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from cli import faults, talk
from cli.client import Client, connect
from cli.exits import Exit
from cli.local_flows import fire, packages

_FINAL = ("completed", "failed", "canceled")
_EVERY_S = 0.5


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    shown = verbs.add_parser("list", help="show the flows on this machine", allow_abbrev=False)
    fired = verbs.add_parser("fire", help="run an event's steps here and now, without a server", allow_abbrev=False)
    for verb in (shown, fired):
        verb.add_argument("--root", type=Path, action="append", metavar="DIR", help="where flows are")
    sent = verbs.add_parser("dispatch", help="send an event", allow_abbrev=False)
    for verb in (fired, sent):
        verb.add_argument("--event", required=True, metavar="FILE", help="the event as JSON; - for standard input")
    events = verbs.add_parser("events", help="show the newest events", allow_abbrev=False)
    events.add_argument("--type", metavar="TYPE")
    runs = verbs.add_parser("runs", help="show the newest runs", allow_abbrev=False)
    runs.add_argument("--event-id", metavar="ID")
    runs.add_argument("--status", metavar="STATUS", help="the run's own, or what its result says")
    for verb in (events, runs):
        verb.add_argument("--limit", type=int, metavar="N")
    for name, about in (("show", "a run, or an event with its runs"), ("cancel", "stop a run")):
        verbs.add_parser(name, help=about, allow_abbrev=False).add_argument("id", metavar="ID")
    again = verbs.add_parser("replay", help="run an event against the flows as they are now", allow_abbrev=False)
    tail = verbs.add_parser("tail", help="show a run's output until it ends", allow_abbrev=False)
    for verb in (again, tail):
        verb.add_argument("id", metavar="ID")
    for verb in (sent, again):
        verb.add_argument("--wait", action="store_true", help="until the runs have ended, or 25 s")
    for verb in verbs.choices.values():
        verb.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was done; 1 where a step that was waited for failed."""
    if args.action == "list":
        return _list(args)
    if args.action == "fire":
        return _fire(args)
    actions = {
        "dispatch": _dispatch, "events": _events, "runs": _runs, "show": _show, "cancel": _cancel, "replay": _replay,
        "tail": _tail,
    }  # fmt: skip
    return actions[args.action](connect(), args)


def _list(args: argparse.Namespace) -> Exit:
    found = packages(args.root)
    for sentence in found.broken:
        talk.say(f"Left out: {sentence}")
    if args.json:
        talk.give_json([dict(package.manifest) for package in found.packages])
    else:
        for package in found.packages:
            talk.give(f"{package.name}\t{package.root}")
    return Exit.DONE


def _fire(args: argparse.Namespace) -> Exit:
    event = _event(args.event)
    results = [one.document() for one in fire(event, packages(args.root), say=talk.say)]
    talk.give_json({"eventId": event["id"], "results": results})
    return Exit.FAILED if any("error" in one for one in results) else Exit.DONE


def _dispatch(client: Client, args: argparse.Namespace) -> Exit:
    wait = "?wait=true" if args.wait else ""
    return _dispatched(client.call("POST", f"/api/flows/events{wait}", _event(args.event)), args)


def _replay(client: Client, args: argparse.Namespace) -> Exit:
    return _dispatched(client.call("POST", f"/api/flows/events/{_quoted(args.id)}/replay", {"wait": args.wait}), args)


def _dispatched(answer: Mapping[str, Any], args: argparse.Namespace) -> Exit:
    if args.json:
        talk.give_json(answer)
    else:
        talk.say(f"{answer['status']}: {answer['eventId']}, {len(answer['runIds'])} runs.")
        for missed in answer["missed"]:
            talk.say(f"{missed['flow']}/{missed['step']} does not fit: {missed['reason']}")
        for one in answer["runs"]:
            talk.give(_line(one))
    return Exit.FAILED if args.wait and any(one["status"] == "failed" for one in answer["runs"]) else Exit.DONE


def _events(client: Client, args: argparse.Namespace) -> Exit:
    answer = client.call("GET", f"/api/flows/events?{_query(type=args.type, limit=args.limit)}")
    return _rows(answer, args, [(one["id"], one["type"], one["createdAt"]) for one in answer["events"]])


def _runs(client: Client, args: argparse.Namespace) -> Exit:
    asked = _query(eventId=args.event_id, status=args.status, limit=args.limit)
    answer = client.call("GET", f"/api/flows/runs?{asked}")
    return _rows(answer, args, [tuple(_line(one).split("\t")) for one in answer["runs"]])


def _show(client: Client, args: argparse.Namespace) -> Exit:
    kind = "runs" if args.id.startswith("frun_") else "events"
    talk.give_json(client.call("GET", f"/api/flows/{kind}/{_quoted(args.id)}"))
    return Exit.DONE


def _cancel(client: Client, args: argparse.Namespace) -> Exit:
    answer = client.call("POST", f"/api/flows/runs/{_quoted(args.id)}/cancel", {})
    if args.json:
        talk.give_json(answer)
    else:
        talk.give(_line(answer["run"]))
    return Exit.DONE


def _tail(client: Client, args: argparse.Namespace) -> Exit:
    after, pieces = "", []
    while True:
        page = client.call("GET", f"/api/flows/runs/{_quoted(args.id)}/output?{_query(after=after)}")
        for piece in page["output"]:
            pieces.append(piece)
            if not args.json:
                print(piece["text"], end="", flush=True, file=sys.stderr if piece["kind"] == "stderr" else sys.stdout)
        if page["isFinal"] and not page["output"]:
            break
        after = page["next"]
        if not page["output"]:
            time.sleep(_EVERY_S)
    if args.json:
        talk.give_json({"output": pieces})
    return Exit.DONE


def _rows(answer: Mapping[str, Any], args: argparse.Namespace, rows: list[tuple[str, ...]]) -> Exit:
    if args.json:
        talk.give_json(answer)
    elif rows:
        talk.give(talk.columns(rows))
    else:
        talk.say("There are none.")
    return Exit.DONE


def _line(one: Mapping[str, Any]) -> str:
    return f"{one['id']}\t{one['flowName']}/{one['stepName']}\t{one['effectiveStatus']}"


def _event(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        event = json.loads(text)
    except (OSError, ValueError) as exc:
        raise faults.bad_input("EVENT_UNREADABLE", f"{file} cannot be read as JSON: {exc}.") from None
    if not isinstance(event, dict):
        raise faults.bad_input("EVENT_INVALID", "An event is a JSON object with an id and a type.")
    return event


def _query(**values: Any) -> str:
    return urlencode({name: value for name, value in values.items() if value not in (None, "")})


def _quoted(text: str) -> str:
    return quote(text, safe="")
