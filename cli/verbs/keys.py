"""Set, list, try and delete providers' keys. A key is read from the terminal, a pipe or the environment, never from the
command line, which others can see; and it is not shown again.
"""

import argparse
import getpass
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from cli import faults, talk
from cli.client import Client, connect
from cli.exits import Exit

_USES = {
    "creator": "your key",
    "operator": "the operator's key",
    "none": "no key, and needs none",
    None: "no key: a live run is refused",
}
_RESULTS = {True: "works", False: "refused", None: "cannot be told"}


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    shown = verbs.add_parser("list", help="show what is kept, masked", allow_abbrev=False)
    kept = verbs.add_parser("set", help="keep a provider's key, in place of the one there was", allow_abbrev=False)
    kept.add_argument("provider", metavar="PROVIDER")
    kept.add_argument("--from-env", action="store_true", help="take it from the provider's own variables, as FAL_KEY")
    gone = verbs.add_parser(
        "delete", help="delete a provider's key, or what was sent along with a run", allow_abbrev=False
    )
    what = gone.add_mutually_exclusive_group(required=True)
    what.add_argument("provider", metavar="PROVIDER", nargs="?")
    what.add_argument("--run", metavar="RUN", help="what was sent along with that run")
    tried = verbs.add_parser("test", help="ask providers whether they take the keys; costs nothing", allow_abbrev=False)
    tried.add_argument("providers", metavar="PROVIDER", nargs="*", help="by default all that there is a key for")
    for verb in (shown, kept, gone, tried):
        verb.add_argument("--operator", action="store_true", help="the operator's keys instead of yours; for staff")
        verb.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was done, 1 when a key that was tried does not work."""
    actions = {"list": _list, "set": _set, "delete": _delete, "test": _test}
    return actions[args.action](connect(), args)


def _list(client: Client, args: argparse.Namespace) -> Exit:
    document = client.call("GET", _path(args))
    if args.json:
        talk.give_json(document)
        return Exit.DONE
    if document["secrets"]:
        head = ("provider", "name", "value", "run", "set", "by")
        talk.give(talk.columns([head, *(line for one in document["secrets"] for line in _lines(one))]))
    for row in document["providers"]:
        talk.say(f"{row['provider']}: {_USES[row['uses']]}")
    return Exit.DONE


def _lines(kept: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for value in kept["values"]:
        ending = f"…{value['lastFour'] or ''}"
        when = talk.moment(kept["updatedAt"])
        yield (kept["provider"], value["name"], ending, kept["runId"] or "—", when, kept["setBy"])


def _set(client: Client, args: argparse.Namespace) -> Exit:
    names = _names(client, args)
    values = _from_environment(names) if args.from_env else _ask(names) if sys.stdin.isatty() else _read(names)
    kept = client.call("PUT", _path(args, args.provider), values)
    if args.json:
        talk.give_json(kept)
    else:
        talk.say(f"The key for {args.provider} is kept. `zap keys test {args.provider}` tries it.")
    return Exit.DONE


def _names(client: Client, args: argparse.Namespace) -> Sequence[str]:
    """What the provider's key is made of. Raises Fault where there is no such provider, or it needs none."""
    rows = {row["provider"]: row["names"] for row in client.call("GET", _path(args))["providers"]}
    if args.provider not in rows:
        known = ", ".join(sorted(rows))
        raise faults.bad_input("PROVIDER_UNKNOWN", "There is no such provider.", f"There are: {known}.")
    names: Sequence[str] = rows[args.provider]
    if not names:
        raise faults.bad_input("SECRET_NOT_NEEDED", f"{args.provider} needs no key.")
    return names


def _from_environment(names: Sequence[str]) -> dict[str, str]:
    given = {name: os.environ.get(name.upper(), "").strip() for name in names}
    if not given[names[0]]:
        raise faults.bad_input("SECRET_MISSING", f"{names[0].upper()} is not set.")
    return _filled(given)


def _ask(names: Sequence[str]) -> dict[str, str]:
    """At the terminal, without an echo."""
    asked = {name: getpass.getpass(f"{name}{' (or nothing)' if name != names[0] else ''}: ") for name in names}
    return _filled(asked)


def _read(names: Sequence[str]) -> dict[str, str]:
    """From a pipe: a line for each value, in the order of the names."""
    lines = sys.stdin.read().splitlines()
    if len(lines) > len(names):
        order = ", then ".join(names)
        raise faults.bad_input("SECRET_INVALID", f"There is a line too many on stdin: it takes {order}.")
    return _filled(dict(zip(names, lines, strict=False)))


def _filled(values: Mapping[str, str]) -> dict[str, str]:
    return {name: value.strip() for name, value in values.items() if value.strip()}


def _delete(client: Client, args: argparse.Namespace) -> Exit:
    if args.run and args.operator:
        raise faults.bad_input("USAGE", "What was sent along with a run is not the operator's.")
    path = f"/api/secrets/runs/{quote(args.run, safe='')}" if args.run else _path(args, args.provider)
    client.call("DELETE", path)
    if args.json:
        talk.give_json({"deleted": args.run or args.provider})
    else:
        talk.say("It is gone.")
    return Exit.DONE


def _test(client: Client, args: argparse.Namespace) -> Exit:
    rows = client.call("GET", _path(args))["providers"]
    chosen = args.providers or [row["provider"] for row in rows if row["uses"] not in (None, "none")]
    results = [client.call("POST", f"{_path(args, name)}/test") for name in chosen]
    if not args.providers:
        results = [result for result in results if result["code"] != "PROVIDER_NOT_SET_UP"]
    if args.json:
        talk.give_json({"results": results})
    elif not results:
        talk.say("There is no key to try.")
    else:
        head = ("provider", "key", "result", "why")
        talk.give(talk.columns([head, *map(_line, results)]))
    return Exit.FAILED if any(result["ok"] is False for result in results) else Exit.DONE


def _line(result: Mapping[str, Any]) -> tuple[str, ...]:
    return (result["provider"], result["keySource"] or "—", _RESULTS[result["ok"]], result["code"] or "")


def _path(args: argparse.Namespace, provider: str = "") -> str:
    base = "/api/secrets/operator" if args.operator else "/api/secrets"
    return f"{base}/{quote(provider, safe='')}" if provider else base
