"""Begin a recipe: a folder with a Zap.md that is valid, and that the free mock can run at once."""

import argparse
import re
import shlex
from collections.abc import Mapping
from pathlib import Path

from cli import faults, starter, talk
from cli.exits import Exit

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{1,62}[a-z0-9]")


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("name", metavar="NAME", help="the folder to make; its last part becomes the recipe's slug")
    parser.add_argument("--from", dest="slug", metavar="SLUG", help="begin with that recipe of the catalogue")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 when the folder was made. What is there already is never written over."""
    folder = Path(args.name)
    name = folder.name
    if not _SLUG.fullmatch(name):
        raise faults.bad_input(
            "SLUG_INVALID",
            f"{name!r} cannot be a recipe's slug.",
            "Use 3 to 64 lower-case letters, digits and hyphens, with a letter or digit at both ends.",
        )
    _write(folder, starter.named(starter.find(args.slug), name))
    if args.json:
        talk.give_json({"slug": name, "folder": str(folder), "file": str(folder / "Zap.md")})
        return Exit.DONE
    talk.give(str(folder / "Zap.md"))
    shown = shlex.quote(args.name)
    talk.say(f"`zap plan {shown}` says what it would do and cost; `zap run {shown}` makes the film with the free mock.")
    return Exit.DONE


def _write(folder: Path, files: Mapping[str, str]) -> None:
    """Raises Fault when the folder is there and holds anything, or cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise faults.bad_input(
                "FOLDER_NOT_EMPTY", f"{folder} is there already and is not empty.", "Choose another name."
            )
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
    except OSError as exc:
        raise faults.bad_input("FOLDER_UNWRITABLE", f"{folder} cannot be written: {exc.strerror}.") from None
