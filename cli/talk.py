"""What a verb prints: one JSON document or one result on stdout, everything else on stderr."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any


def say(text: str) -> None:
    """Tell the person something."""
    print(text, file=sys.stderr, flush=True)


def give(text: str) -> None:
    """Hand over the result."""
    print(text, flush=True)


def give_json(document: Mapping[str, Any] | Sequence[Any]) -> None:
    """Hand over the result as one JSON document."""
    give(json.dumps(document, ensure_ascii=False, indent=2))


def usd(amount: float | None) -> str:
    """`$1.25`; with as many places as it takes to tell it from nothing."""
    if amount is None:
        return "—"
    text = f"{amount:.6f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents:0<2}"


def costs(quote: Mapping[str, Any]) -> str:
    """`$0.14 at most`, or, where further tries may follow, `$0.14 at first, $0.56 at most`."""
    first, most = usd(quote["quoteUsd"]), usd(quote["mostUsd"])
    return f"{most} at most" if first == most else f"{first} at first, {most} at most"


def span(seconds: float) -> str:
    """`8 s`, `3 min 20 s`, `1 h 02 min`."""
    whole = max(int(seconds), 0)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def moment(epoch_ms: int) -> str:
    """`2030-01-31 14:03:00`, by this machine's clock and zone."""
    return f"{datetime.fromtimestamp(epoch_ms / 1000, UTC).astimezone():%Y-%m-%d %H:%M:%S}"


def columns(rows: Sequence[Sequence[str]]) -> str:
    """The rows as a table, its first row the head."""
    widths = [max(len(row[index]) for row in rows) for index in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )
