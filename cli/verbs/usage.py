"""Say what was spent, against what had been quoted, and what is left of the budgets."""

import argparse
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from cli import talk
from cli.client import connect
from cli.exits import Exit

_BUDGETS = {"owner": "you, in all", "ownerDay": "you, today (UTC)", "day": "everybody, today (UTC)"}


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("--from", metavar="DAY", dest="first", help="such as 2030-01-31; by default 30 days")
    parser.add_argument("--to", metavar="DAY", dest="last", help="included; by default today (UTC)")
    parser.add_argument(
        "--by", metavar="WORDS", help="some of day, owner, recipe, provider and model, comma-separated; by default day"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it was shown."""
    wanted = {"from": args.first, "to": args.last, "by": args.by}
    given = {name: value for name, value in wanted.items() if value is not None}
    usage = connect().call("GET", f"/api/usage?{urlencode(given)}")
    if args.json:
        talk.give_json(usage)
        return Exit.DONE
    talk.give(talk.columns([_head(usage["by"]), *(_line(row, usage["by"]) for row in usage["rows"]), _total(usage)]))
    if usage["truncated"]:
        talk.say(f"Only the first {len(usage['rows'])} are shown; the sum counts all.")
    for name, budget in usage["budgets"].items():
        talk.say(_budget(_BUDGETS[name], budget))
    return Exit.DONE


def _head(by: list[str]) -> tuple[str, ...]:
    return (*by, "attempts", "quoted", "actual", "difference")


def _line(row: Mapping[str, Any], by: list[str]) -> tuple[str, ...]:
    return (*(str(row[word] or "—") for word in by), *_sums(row))


def _total(usage: Mapping[str, Any]) -> tuple[str, ...]:
    return ("sum", *("" for _ in usage["by"][1:]), *_sums(usage["totals"]))


def _sums(sums: Mapping[str, Any]) -> tuple[str, ...]:
    difference = sums["differenceUsd"]
    sign = "+" if difference > 0 else "-" if difference < 0 else ""
    money = (talk.usd(sums["quoteUsd"]), talk.usd(sums["actualUsd"]), f"{sign}{talk.usd(abs(difference))}")
    return (str(sums["count"]), *money)


def _budget(whose: str, budget: Mapping[str, Any]) -> str:
    held = f"{talk.usd(budget['spentUsd'])} spent, {talk.usd(budget['reservedUsd'])} held"
    if budget["capUsd"] is None:
        return f"{whose}: {held}, no limit"
    return f"{whose}: {held}, {talk.usd(budget['remainingUsd'])} left of {talk.usd(budget['capUsd'])}"
