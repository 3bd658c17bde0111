"""Make, list, rotate and revoke API keys. One is shown when it is made or rotated, and never again."""

import argparse
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.contrib.auth import get_user_model

from cli import faults, inprocess, talk
from cli.client import Client, connect
from cli.exits import Exit

_NEVER = "—"


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    create = verbs.add_parser("create", help="make a key", allow_abbrev=False)
    create.add_argument("name", metavar="NAME", help="what you call it")
    create.add_argument("--user", metavar="U", help="whose it is; on the server's own machine only")
    create.add_argument(
        "--scope",
        action="append",
        metavar="S",
        dest="scopes",
        help="read, run, live, publish, secrets, prices, keys, account or flows; by default all you may",
    )
    create.add_argument("--days", type=int, metavar="N", help="how long it lasts; by default until it is revoked")
    shown = verbs.add_parser("list", help="show the keys", allow_abbrev=False)
    rotated = verbs.add_parser("rotate", help="give a key a new token", allow_abbrev=False)
    rotated.add_argument("prefix", metavar="PREFIX", help="its first characters, zap_…")
    rotated.add_argument(
        "--overlap-s", type=int, default=0, metavar="S", help="for how long the old token goes on opening doors (0)"
    )
    gone = verbs.add_parser("revoke", help="let a key open nothing any more", allow_abbrev=False)
    gone.add_argument("prefix", metavar="PREFIX", help="its first characters, zap_…")
    for verb in (create, shown, rotated, gone):
        verb.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was done."""
    actions = {"create": _create, "list": _list, "rotate": _rotate, "revoke": _revoke}
    return actions[args.action](_client(args), args)


def _client(args: argparse.Namespace) -> Client:
    """Who asks: with --user that one, whom nobody can be from elsewhere."""
    if getattr(args, "user", None) is None:
        return connect()
    inprocess.stand_here()
    user = get_user_model()._default_manager.filter(username=args.user).first()
    if user is None:
        raise faults.bad_input(
            "USER_UNKNOWN", f"There is no user {args.user!r}.", "`python manage.py createsuperuser` makes one."
        )
    client: Client = inprocess.InProcessClient(user)
    return client


def _create(client: Client, args: argparse.Namespace) -> Exit:
    said = {"name": args.name, "scopes": args.scopes, "expiresInDays": args.days}
    key = client.call("POST", "/api/keys", {name: value for name, value in said.items() if value is not None})
    return _show(key, args)


def _rotate(client: Client, args: argparse.Namespace) -> Exit:
    return _show(client.call("POST", f"{_path(args)}/rotate", {"overlapS": args.overlap_s}), args)


def _show(key: Mapping[str, Any], args: argparse.Namespace) -> Exit:
    if args.json:
        talk.give_json(key)
    else:
        talk.give(key["token"])
        talk.say(f"{key['name']} ({key['prefix']}): {', '.join(key['scopes'])}. It is not shown again.")
    return Exit.DONE


def _list(client: Client, args: argparse.Namespace) -> Exit:
    rows: list[Mapping[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.call("GET", f"/api/keys?limit=100&cursor={quote(cursor, safe='')}")
        rows, cursor = [*rows, *page["keys"]], page["nextCursor"]
    if args.json:
        talk.give_json({"keys": rows})
    elif rows:
        talk.give(talk.columns([("prefix", "name", "state", "scopes", "last used", "expires"), *map(_line, rows)]))
    else:
        talk.say("There is no key. `zap token create NAME` makes one.")
    return Exit.DONE


def _line(key: Mapping[str, Any]) -> tuple[str, ...]:
    used, ends = (_NEVER if key[name] is None else talk.moment(key[name]) for name in ("lastUsedAt", "expiresAt"))
    return (key["prefix"], key["name"], key["state"], " ".join(key["scopes"]), used, ends)


def _revoke(client: Client, args: argparse.Namespace) -> Exit:
    client.call("DELETE", _path(args))
    if args.json:
        talk.give_json({"revoked": args.prefix})
    else:
        talk.say("It opens nothing any more.")
    return Exit.DONE


def _path(args: argparse.Namespace) -> str:
    return f"/api/keys/{quote(args.prefix, safe='')}"
