"""Show the steps that failed for good, of everybody's runs, or make them again within their runs' caps."""

import argparse
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from cli import consent, talk
from cli.client import Client, connect
from cli.exits import Exit

_AT_ONCE = 100


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("--limit", type=int, default=20, metavar="N", help="how many to show, at most 100")
    chosen = parser.add_mutually_exclusive_group()
    chosen.add_argument("--redrive", nargs="+", metavar="RUN", help="make what failed of these runs again")
    chosen.add_argument("--all", action="store_true", help="make everything that failed again")
    consent.declare(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when they were shown or are all being made again, 4 when one was refused."""
    client = connect()
    if not args.all and not args.redrive:
        return _show(client, args)
    letters = [letter for letter in _all(client) if args.all or letter["runId"] in args.redrive]
    _agree(args, client, letters)
    run_ids = list(dict.fromkeys([*(args.redrive or []), *(letter["runId"] for letter in letters)]))
    return _redrive(client, run_ids, args)


def _show(client: Client, args: argparse.Namespace) -> Exit:
    page = client.call("GET", f"/api/dead-letters?limit={args.limit}")
    if args.json:
        talk.give_json(page)
    elif not page["deadLetters"]:
        talk.say("There are no dead letters.")
    else:
        head = ("run", "step", "recipe", "provider", "model", "error", "cost", "failed")
        talk.give(talk.columns([head, *(_line(letter) for letter in page["deadLetters"])]))
    return Exit.DONE


def _line(letter: Mapping[str, Any]) -> tuple[str, ...]:
    failed = datetime.fromtimestamp(letter["failedAt"] / 1000, UTC).astimezone()
    return (
        letter["runId"],
        letter["stepId"],
        letter["zapSlug"],
        letter["provider"],
        letter["model"] or "—",
        letter["error"],
        talk.usd(letter["costUsd"]),
        f"{failed:%Y-%m-%d %H:%M:%S}",
    )


def _all(client: Client) -> Iterator[Mapping[str, Any]]:
    cursor: str | None = ""
    while cursor is not None:
        page = client.call("GET", f"/api/dead-letters?limit={_AT_ONCE}&cursor={quote(cursor, safe='')}")
        yield from page["deadLetters"]
        cursor = page["nextCursor"]


def _agree(args: argparse.Namespace, client: Client, letters: list[Mapping[str, Any]]) -> None:
    """Raises Fault unless it is agreed that live runs may spend what is left of their caps."""
    live = dict.fromkeys(letter["runId"] for letter in letters if letter["providerMode"] == "live")
    if live and not args.yes:
        consent.ask(sum(client.call("GET", f"/api/runs/{run_id}")["remainingBudgetUsd"] for run_id in live))


def _redrive(client: Client, run_ids: list[str], args: argparse.Namespace) -> Exit:
    results: list[Mapping[str, Any]] = []
    for start in range(0, len(run_ids), _AT_ONCE):
        body = {"runIds": run_ids[start : start + _AT_ONCE]}
        results += client.call("POST", "/api/dead-letters/redrive", body)["results"]
    again = [result["runId"] for result in results if result["redriven"]]
    if args.json:
        talk.give_json({"redrivenCount": len(again), "results": results})
    else:
        for name in again:
            talk.give(name)
        for result in results:
            if not result["redriven"]:
                talk.say(f"{result['runId']}: {result['error']}: {result['message']}")
    return Exit.DONE if len(again) == len(results) else Exit.REFUSED
