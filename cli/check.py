"""What `validate` and `lint` share: recipe files in, everything that is wrong with them out. No server is needed."""

import argparse
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from cli import faults, talk
from cli.exits import Exit
from cli.recipes import RecipeText, find_text
from core.errors import BadInput, Problem
from zaps.recipe import parse
from zaps.recipe.schema import Recipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was found in one file. `warnings` do not make it invalid."""

    file: str
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """As --json prints it; `warnings` only where they were looked for."""
        document: dict[str, Any] = {
            "file": self.file,
            "ok": not self.errors,
            "errors": [asdict(one) for one in self.errors],
        }
        if self.warnings is not None:
            document["warnings"] = [asdict(one) for one in self.warnings]
        return document


def declare(parser: argparse.ArgumentParser) -> None:
    """The arguments of a verb that checks files."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="a Zap.md, or a folder that holds one")
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def validate(file: str) -> Result:
    """Everything that is wrong with the recipe."""
    read = parse_file(file)
    return read if isinstance(read, Result) else Result(file=read[0].place)


def parse_file(file: str) -> tuple[RecipeText, Recipe] | Result:
    """The recipe, or what is wrong with it."""
    try:
        text = find_text(file)
    except faults.Fault as exc:
        return Result(file=file, errors=(Problem(code=str(exc.document["code"]), message=str(exc)),))
    try:
        return text, parse(text.source, text.prompts)
    except BadInput as exc:
        return Result(file=text.place, errors=exc.problems)


def report(results: Iterable[Result], *, as_json: bool, good: str) -> Exit:
    """Print them; exit 2 when one has errors."""
    found = list(results)
    if as_json:
        talk.give_json({"results": [result.to_json() for result in found]})
    for result in found:
        for problem in (*result.errors, *(result.warnings or ())):
            talk.say(faults.problem_line(asdict(problem), place=result.file))
        if not as_json and not result.errors and not result.warnings:
            talk.give(f"{result.file}: {good}")
    return Exit.BAD_INPUT if any(result.errors for result in found) else Exit.DONE
