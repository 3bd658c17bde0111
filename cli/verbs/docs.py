"""Read the manual in the terminal: its pages, one of them, one section of it, or whatever speaks of something."""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markdown import Markdown

from cli import manuals, talk
from cli.exits import Exit

_SHOWN = 90  # characters of a line


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("topic", nargs="?", metavar="TOPIC", help="a page, or PAGE#SECTION; without it, a list of them")
    what.add_argument("--search", metavar="TEXT", help="list the sections that hold every word of it")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0, also when nothing was found."""
    if args.topic:
        text = manuals.read(args.topic)
        _give({"topic": args.topic, "text": text}, text, as_json=args.json)
    elif args.search is not None:
        hits = manuals.search(args.search)
        rows = [("section", "says"), *((one.place, one.line[:_SHOWN]) for one in hits)]
        _list({"query": args.search, "hits": [asdict(one) for one in hits]}, rows, as_json=args.json)
    else:
        pages = list(manuals.pages().values())
        rows = [("topic", "about"), *((page.topic, page.about[:_SHOWN]) for page in pages)]
        listed = [{"topic": page.topic, "title": page.title, "about": page.about} for page in pages]
        _list({"pages": listed}, rows, as_json=args.json)
    return Exit.DONE


def _list(document: Mapping[str, Any], rows: list[tuple[str, str]], *, as_json: bool) -> None:
    if as_json:
        talk.give_json(document)
    elif len(rows) == 1:
        talk.say("Nothing was found.")
    else:
        talk.give(talk.columns(rows))


def _give(document: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    if as_json:
        talk.give_json(document)
    elif sys.stdout.isatty():
        Console().print(Markdown(text))
    else:
        talk.give(text.rstrip())
