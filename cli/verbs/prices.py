"""Show what models cost, set it by hand, take it back, or ask the vendors that have a list of prices. Staff only."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

from cli import order, talk
from cli.client import Client, connect
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    shown = verbs.add_parser("list", help="show every price that counts now", allow_abbrev=False)
    shown.add_argument("provider", metavar="PROVIDER", nargs="?", help="only of this one")
    _declare_set(verbs.add_parser("set", help="set a price, from now on", allow_abbrev=False))
    gone = verbs.add_parser("withdraw", help="take a price back: live runs of it are refused", allow_abbrev=False)
    _declare_key(gone)
    gone.add_argument("--why", required=True, metavar="TEXT", help="kept with it")
    told = verbs.add_parser("history", help="show what was set for a model, newest first", allow_abbrev=False)
    _declare_key(told)
    asked = verbs.add_parser("sync", help="ask vendors, with the operator's keys; costs nothing", allow_abbrev=False)
    asked.add_argument("providers", metavar="PROVIDER", nargs="*", help="by default all that can be asked")
    asked.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
    for verb in verbs.choices.values():
        verb.add_argument("--json", action="store_true", help="print one JSON document")


def _declare_set(parser: argparse.ArgumentParser) -> None:
    _declare_key(parser)
    parser.add_argument("unit", metavar="UNIT", help="request, second, megapixel, 1k_chars or minute")
    parser.add_argument("usd", metavar="USD", type=order.usd, help="for one unit")
    parser.add_argument("--source", required=True, metavar="TEXT", help="where it was read")
    parser.add_argument("--verified", metavar="YYYY-MM-DD", help="when it was read there; today unless given")


def _declare_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("provider", metavar="PROVIDER")
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--variant", default="", metavar="FIELD=VALUE,…", help="of what it is asked for")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was done, 1 when a vendor could not be asked."""
    actions = {"list": _list, "set": _set, "withdraw": _withdraw, "history": _history, "sync": _sync}
    return actions[args.action](connect(), args)


def _list(client: Client, args: argparse.Namespace) -> Exit:
    rows: list[Mapping[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = urlencode({"provider": args.provider or "", "limit": 100, "cursor": cursor})
        page = client.call("GET", f"/api/prices?{query}")
        rows, cursor = [*rows, *page["prices"]], page["nextCursor"]
    if args.json:
        talk.give_json({"prices": rows})
    elif not rows:
        talk.say("There are no prices.")
    else:
        head = ("provider", "model", "variant", "price", "age", "by", "source")
        talk.give(talk.columns([head, *map(_price, rows)]))
    return Exit.DONE


def _price(row: Mapping[str, Any]) -> tuple[str, ...]:
    age = f"{row['ageDays']} d{', stale' if row['stale'] else ''}"
    per = f"{talk.usd(row['usd'])} / {row['unit']}"
    return (row["provider"], row["model"], row["variant"] or "—", per, age, row["setBy"], row["source"])


def _set(client: Client, args: argparse.Namespace) -> Exit:
    body = {"unit": args.unit, "usd": float(args.usd), "source": args.source}
    return _put(client, args, body | ({"verifiedAt": args.verified} if args.verified else {}))


def _withdraw(client: Client, args: argparse.Namespace) -> Exit:
    return _put(client, args, {"usd": None, "source": args.why})


def _put(client: Client, args: argparse.Namespace, body: dict[str, Any]) -> Exit:
    key = {"provider": args.provider, "model": args.model, "variant": args.variant}
    row = client.call("POST", "/api/prices", key | body)
    if args.json:
        talk.give_json(row)
    elif row["usd"] is None:
        talk.say(f"{args.model} at {args.provider} has no price any more; live runs of it are refused.")
    else:
        talk.say(f"{args.model} at {args.provider} costs {talk.usd(row['usd'])} / {row['unit']} from now on.")
    return Exit.DONE


def _history(client: Client, args: argparse.Namespace) -> Exit:
    key = urlencode({"provider": args.provider, "model": args.model, "variant": args.variant})
    document = client.call("GET", f"/api/prices/history?{key}")
    if args.json:
        talk.give_json(document)
    elif not document["history"]:
        talk.say("Nobody has set it here; what counts is what ships with the program.")
    else:
        head = ("set", "by", "price", "verified", "source")
        talk.give(talk.columns([head, *map(_entry, document["history"])]))
    return Exit.DONE


def _entry(row: Mapping[str, Any]) -> tuple[str, ...]:
    per = "withdrawn" if row["usd"] is None else f"{talk.usd(row['usd'])} / {row['unit']}"
    return (talk.moment(row["setAt"]), row["setBy"], per, row["verifiedAt"], row["source"])


def _sync(client: Client, args: argparse.Namespace) -> Exit:
    body = {"dryRun": args.dry_run} | ({"providers": args.providers} if args.providers else {})
    document = client.call("POST", "/api/prices/sync", body)
    if args.json:
        talk.give_json(document)
    else:
        _show(document)
    return Exit.FAILED if any(one["code"] for one in document["results"]) else Exit.DONE


def _show(document: Mapping[str, Any]) -> None:
    rows = [line for one in document["results"] for line in _lines(one)]
    if rows:
        talk.give(talk.columns([("provider", "model", "variant", "unit", "old", "new", ""), *rows]))
    for one in document["results"]:
        if one["code"]:
            talk.say(f"{one['provider']} could not be asked: {one['message']} ({one['code']})")
    if document["dryRun"]:
        talk.say("Nothing was changed.")


def _lines(synced: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for line in synced["prices"]:
        outcome = line["code"] or ("changed" if line["changed"] else "the same")
        prices = (talk.usd(line["oldUsd"]), talk.usd(line["newUsd"]))
        yield (synced["provider"], line["model"], line["variant"] or "—", line["unit"] or "—", *prices, outcome)
