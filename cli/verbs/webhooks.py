"""Add, list, try and remove the addresses that are told of your runs. A secret is shown when it is made, and never
again.
"""

import argparse
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from cli import talk
from cli.client import Client, connect
from cli.exits import Exit

_EVENTS = ("run.started", "run.waiting", "run.done", "run.failed", "run.canceled")


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    added = verbs.add_parser("add", help="tell an address of your runs", allow_abbrev=False)
    added.add_argument("url", metavar="URL", help="over https, to a public name")
    added.add_argument(
        "--event", action="append", choices=_EVENTS, dest="events", metavar="E",
        help=f"{', '.join(_EVENTS[:-1])} or {_EVENTS[-1]}, repeatable; by default all",
    )  # fmt: skip
    added.add_argument("--description", metavar="TEXT", help="what you call it")
    shown = verbs.add_parser("list", help="show them", allow_abbrev=False)
    tried = verbs.add_parser("test", help="send one a test, and say what came of it", allow_abbrev=False)
    told = verbs.add_parser("deliveries", help="show what was told to one", allow_abbrev=False)
    told.add_argument("--limit", type=int, default=20, metavar="N", help="how many, at most 100")
    rotated = verbs.add_parser(
        "rotate", help="give one a new secret; the old one signs too for a day", allow_abbrev=False
    )
    gone = verbs.add_parser("remove", help="tell one nothing more, and forget its log", allow_abbrev=False)
    for verb in (tried, told, rotated, gone):
        verb.add_argument("hook", metavar="HOOK", help="hook_…, as the list names it")
    for verb in (added, shown, tried, told, rotated, gone):
        verb.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was done, 1 when a test did not arrive."""
    actions = {
        "add": _add, "list": _list, "test": _test, "deliveries": _deliveries, "rotate": _rotate, "remove": _remove,
    }  # fmt: skip
    return actions[args.action](connect(), args)


def _add(client: Client, args: argparse.Namespace) -> Exit:
    said = {"url": args.url, "events": args.events, "description": args.description}
    hook = client.call("POST", "/api/webhooks", {name: value for name, value in said.items() if value is not None})
    return _show(hook, args)


def _rotate(client: Client, args: argparse.Namespace) -> Exit:
    return _show(client.call("POST", f"{_path(args)}/rotate", {}), args)


def _show(hook: Mapping[str, Any], args: argparse.Namespace) -> Exit:
    if args.json:
        talk.give_json(hook)
    else:
        talk.give(hook["secret"])
        talk.say(f"{hook['hookId']} is told of {', '.join(hook['events'])}. Its secret is not shown again.")
        talk.say(f"`zap webhooks test {hook['hookId']}` tries it.")
    return Exit.DONE


def _list(client: Client, args: argparse.Namespace) -> Exit:
    page = client.call("GET", "/api/webhooks?limit=100")
    if args.json:
        talk.give_json(page)
    elif not page["webhooks"]:
        talk.say("There are no webhooks. `zap webhooks add URL` makes one.")
    else:
        head = ("hook", "state", "events", "url", "description")
        talk.give(talk.columns([head, *(_line(hook) for hook in page["webhooks"])]))
    return Exit.DONE


def _line(hook: Mapping[str, Any]) -> tuple[str, ...]:
    state = "on" if hook["isOn"] else f"off: {hook['offReason']}"
    if hook["isOn"] and hook["failures"]:
        state = f"failed {hook['failures']} times"
    events = "all" if len(hook["events"]) == len(_EVENTS) else ", ".join(hook["events"])
    return (hook["hookId"], state, events, hook["url"], hook["description"] or "—")


def _test(client: Client, args: argparse.Namespace) -> Exit:
    told = client.call("POST", f"{_path(args)}/test", {})
    if args.json:
        talk.give_json(told)
    else:
        talk.give(_last(told))
    return Exit.DONE if told["status"] == "delivered" else Exit.FAILED


def _deliveries(client: Client, args: argparse.Namespace) -> Exit:
    page = client.call("GET", f"{_path(args)}/deliveries?limit={args.limit}")
    if args.json:
        talk.give_json(page)
    elif not page["deliveries"]:
        talk.say("Nothing was told to it yet.")
    else:
        head = ("event", "type", "status", "tries", "last try", "happened", "next try")
        talk.give(talk.columns([head, *(_told(one) for one in page["deliveries"])]))
    return Exit.DONE


def _told(one: Mapping[str, Any]) -> tuple[str, ...]:
    again = talk.moment(one["nextTryAt"]) if one["nextTryAt"] is not None else "—"
    when = talk.moment(one["happenedAt"])
    return (one["eventId"], one["type"], one["status"], str(len(one["tries"])), _last(one), when, again)


def _last(one: Mapping[str, Any]) -> str:
    if not one["tries"]:
        return "—"
    tried = one["tries"][-1]
    return " ".join(str(part) for part in (tried["code"], tried["status"], f"{tried['ms']} ms") if part is not None)


def _remove(client: Client, args: argparse.Namespace) -> Exit:
    client.call("DELETE", _path(args))
    if args.json:
        talk.give_json({"removed": args.hook})
    else:
        talk.say("It is gone.")
    return Exit.DONE


def _path(args: argparse.Namespace) -> str:
    return f"/api/webhooks/{quote(args.hook, safe='')}"
