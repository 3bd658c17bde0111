"""Say what this installation is made of: versions, database, broker, storage, providers, beat. No secrets."""

import argparse
from collections.abc import Iterator
from typing import Any

from cli import talk
from cli.client import connect
from cli.exits import Exit


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when it could be found out."""
    document = connect().call("GET", "/api/info")
    if args.json:
        talk.give_json(document)
    else:
        for line in _lines(document, ""):
            talk.give(line)
    return Exit.DONE


def _lines(value: Any, name: str) -> Iterator[str]:
    """One line a fact: `database.version  17.2`."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _lines(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
        for index, inner in enumerate(value):
            yield from _lines(inner, f"{name}[{index}]")
    else:
        yield f"{name:<28}  {', '.join(map(str, value)) if isinstance(value, list) else value}"
