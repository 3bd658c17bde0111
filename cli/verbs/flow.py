"""Send events to flows, and see what became of them."""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from cli import faults, talk
from cli.client import Client, connect
from cli.exits import Exit
from cli.flow_tail import ended_well, tail
from cli.local_flows import fire, packages, where

Row = tuple[str, ...]

_FINAL = ("completed", "failed", "canceled")


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    shown = verbs.add_parser("list", help="show the flows on this machine", allow_abbrev=False)
    fired = verbs.add_parser("fire", help="run an event's steps here and now, without a server", allow_abbrev=False)
    for verb in (shown, fired):
        verb.add_argument(
            "--root", type=Path, action="append", metavar="DIR", help=f"where flows are; {where(None)} unless given"
        )
    sent = verbs.add_parser("dispatch", help="send an event", allow_abbrev=False)
    for verb in (fired, sent):
        verb.add_argument("--event", required=True, metavar="FILE", help="the event as JSON; - for standard input")
    events = verbs.add_parser("events", help="show the newest events", allow_abbrev=False)
    events.add_argument("--type", metavar="TYPE", help="of this type alone")
    runs = verbs.add_parser("runs", help="show the newest runs", allow_abbrev=False)
    runs.add_argument("--event-id", metavar="ID", help="those that this event started")
    runs.add_argument("--status", metavar="STATUS", help="the run's own, or what its result says")
    for verb in (events, runs):
        verb.add_argument("--limit", type=int, metavar="N", help="how many, up to 500; 50 unless given")
    shown = verbs.add_parser("show", help="show a run, or an event with its runs", allow_abbrev=False)
    shown.add_argument("id", metavar="ID", help="a run's, or an event's")
    stopped = verbs.add_parser("cancel", help="stop a run", allow_abbrev=False)
    again = verbs.add_parser("replay", help="run an event against the flows as they are now", allow_abbrev=False)
    tailed = verbs.add_parser("tail", help="show a run's output until it ends", allow_abbrev=False)
    again.add_argument("id", metavar="ID", help="the event's")
    for verb in (stopped, tailed):
        verb.add_argument("id", metavar="ID", help="the run's")
    for verb in (sent, again):
        verb.add_argument("--wait", action="store_true", help="until the runs have ended, or 25 s")
    for verb in verbs.choices.values():
        verb.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was done; 1 where a step that was waited for did not end well."""
    if getattr(args, "limit", None) is not None and args.limit < 1:
        raise faults.bad_input("USAGE", "--limit is a whole number from 1.")
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
    found = packages(args.root, say=talk.say)
    if args.json:
        talk.give_json([dict(package.manifest) for package in found])
    elif not found:
        talk.say(f"There are no flows below {where(args.root)}. `zap docs flows` begins with one.")
    for package in () if args.json else found:
        talk.give(f"{package.name}\t{package.root}")
    return Exit.DONE


def _fire(args: argparse.Namespace) -> Exit:
    event = _event(args.event)
    found = packages(args.root, say=talk.say)
    results = [one.document() for one in fire(event, found)]
    if not results:
        talk.say(f"No step below {where(args.root)} was started by it.")
    talk.give_json({"eventId": event["id"], "results": results})
    return Exit.FAILED if any("error" in one for one in results) else Exit.DONE


def _dispatch(client: Client, args: argparse.Namespace) -> Exit:
    event, wait = _event(args.event), "?wait=true" if args.wait else ""
    return _dispatched(client.call("POST", f"/api/flows/events{wait}", event), args)


def _replay(client: Client, args: argparse.Namespace) -> Exit:
    return _dispatched(client.call("POST", f"/api/flows/events/{_quoted(args.id)}/replay", {"wait": args.wait}), args)


def _dispatched(answer: Mapping[str, Any], args: argparse.Namespace) -> Exit:
    runs = answer["runs"]
    if args.json:
        talk.give_json(answer)
    else:
        talk.say(f"{answer['status']}: {answer['eventId']}, {len(runs)} {'run' if len(runs) == 1 else 'runs'}.")
        for missed in answer["missed"]:
            talk.say(f"{missed['flow']}/{missed['step']} does not fit: {missed['reason']}")
        if not runs and not answer["missed"]:
            talk.say(f"No flow that the server knows listens to {answer['event']['type']!r}.")
        for one in runs:
            talk.give("\t".join(_line(one)))
    if not args.wait:
        return Exit.DONE
    for one in runs:
        if one["status"] not in _FINAL:
            talk.say(f"It has not ended yet: zap flow tail {one['id']}")
    return max(map(ended_well, runs), default=Exit.DONE)


def _events(client: Client, args: argparse.Namespace) -> Exit:
    answer = client.call("GET", f"/api/flows/events?{_query(type=args.type, limit=args.limit)}")
    rows = [(one["id"], one["type"], one["createdAt"]) for one in answer["events"]]
    return _rows(answer, args, ("event", "type", "stored"), rows)


def _runs(client: Client, args: argparse.Namespace) -> Exit:
    asked = _query(eventId=args.event_id, status=args.status, limit=args.limit)
    answer = client.call("GET", f"/api/flows/runs?{asked}")
    rows = [(*_line(one), one["createdAt"]) for one in answer["runs"]]
    return _rows(answer, args, ("run", "flow/step", "status", "made"), rows)


def _show(client: Client, args: argparse.Namespace) -> Exit:
    talk.give_json(_shown(client, _quoted(args.id), looks_like_run=args.id.startswith("frun_")))
    return Exit.DONE


def _shown(client: Client, name: str, *, looks_like_run: bool) -> Mapping[str, Any]:
    """An event's id is its sender's, and may look like a run's."""
    found: Mapping[str, Any]
    if looks_like_run:
        try:
            found = client.call("GET", f"/api/flows/runs/{name}")
        except faults.Fault as exc:
            if exc.document.get("status") != 404:
                raise
        else:
            return found
    found = client.call("GET", f"/api/flows/events/{name}")
    return found


def _cancel(client: Client, args: argparse.Namespace) -> Exit:
    answer = client.call("POST", f"/api/flows/runs/{_quoted(args.id)}/cancel", {})
    if args.json:
        talk.give_json(answer)
    else:
        talk.give("\t".join(_line(answer["run"])))
    return Exit.DONE


def _tail(client: Client, args: argparse.Namespace) -> Exit:
    return tail(client, args.id, as_json=args.json)


def _rows(answer: Mapping[str, Any], args: argparse.Namespace, head: Row, rows: Sequence[Row]) -> Exit:
    if args.json:
        talk.give_json(answer)
    elif rows:
        talk.give(talk.columns([head, *rows]))
        if answer.get("nextCursor"):
            talk.say("There are more; --limit N shows up to 500.")
    else:
        talk.say("There are none.")
    return Exit.DONE


def _line(one: Mapping[str, Any]) -> Row:
    return one["id"], f"{one['flowName']}/{one['stepName']}", one["effectiveStatus"]


def _event(file: str) -> dict[str, Any]:
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        event = json.loads(text.removeprefix("\ufeff"))
    except OSError as exc:
        raise faults.bad_input("EVENT_UNREADABLE", f"{file} cannot be read: {exc.strerror}.") from None
    except RecursionError:
        raise faults.bad_input("EVENT_UNREADABLE", f"{file} is too deep.") from None
    except ValueError as exc:
        raise faults.bad_input("EVENT_UNREADABLE", f"{file} cannot be read as JSON: {exc}.") from None
    if not isinstance(event, dict):
        raise faults.bad_input("EVENT_INVALID", "An event is a JSON object with an id and a type.")
    return event


def _query(**values: Any) -> str:
    return urlencode({name: value for name, value in values.items() if value not in (None, "")})


def _quoted(text: str) -> str:
    return quote(text, safe="")
