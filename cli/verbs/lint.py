"""Check recipes for what is allowed and unwise, beside what is wrong. Nothing is run and no server is needed."""

import argparse

from cli import check
from cli.check import Result
from cli.exits import Exit
from zaps.recipe.lint import lint


def declare(parser: argparse.ArgumentParser) -> None:
    """Its arguments."""
    check.declare(parser)


def run(args: argparse.Namespace) -> Exit:
    """Exit 2 when a file is wrong; warnings alone are exit 0."""
    return check.report([_lint(file) for file in args.files], as_json=args.json, good="nothing to say")


def _lint(file: str) -> Result:
    read = check.parse_file(file)
    if isinstance(read, Result):
        return Result(file=read.file, errors=read.errors, warnings=())
    text, recipe = read
    return Result(file=text.place, warnings=tuple(lint(recipe)))
