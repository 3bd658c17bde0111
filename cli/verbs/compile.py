"""Turn a finished run into a new draft recipe, with what it really cost and who really made it."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cli import faults, talk
from cli.client import connect
from cli.exits import Exit
from cli.recipes import FILE_NAME
from zaps.recipe.prompts import is_safe


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    parser.add_argument("run", metavar="RUN", help="the id of a run that is done")
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="write it there, its prompts beside it; into a folder as Zap.md"
    )
    parser.add_argument("--save", action="store_true", help="keep it as a draft in the catalogue")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def run(args: argparse.Namespace) -> Exit:
    """Exit 0 with a recipe, 4 when the run is not done."""
    save = "?save=true" if args.save else ""
    document = connect().call("POST", f"/api/runs/{quote(args.run, safe='')}/compile{save}")
    if args.out is not None:
        _write(args.out / FILE_NAME if args.out.is_dir() else args.out, document)
    if args.json:
        talk.give_json(document)
    elif args.out is None:
        talk.give(document["source"])
    talk.say(
        f"{document['slug']}: {talk.usd(document['estimateUsd'])} estimated, the cap is {talk.usd(document['capUsd'])};"
        f" the run cost {talk.usd(document['costUsd'])} in {document['attempts']} attempts."
    )
    return Exit.DONE


def _write(file: Path, document: Mapping[str, Any]) -> None:
    """The recipe and its prompt files. Raises Fault where another text is in the way; then nothing is written."""
    prompts = {path: text for path, text in document["prompts"].items() if is_safe(path)}
    texts = {file: document["source"], **{file.parent / path: text for path, text in prompts.items()}}
    for path, text in texts.items():
        if path.exists() and (not path.is_file() or path.read_bytes() != text.encode()):
            raise faults.bad_input("FILE_EXISTS", f"{path} exists.", "Choose another place with --out.")
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
    except OSError as exc:
        raise faults.bad_input("FILE_UNWRITABLE", f"{file} cannot be written: {exc.strerror}.") from None
