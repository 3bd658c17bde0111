"""Everything that is wrong with one recipe, each with its place in the file."""

from bisect import bisect_right
from collections.abc import Iterable
from difflib import get_close_matches
from typing import NoReturn

from core.errors import BadInput, Problem

_REPORTED_AT_MOST = 100


class RecipeInvalid(BadInput):
    """The recipe breaks the rules; `problems` lists every place, in file order."""

    code = "RECIPE_INVALID"
    title = "The recipe is not valid."
    remediation = "Mend what `errors` lists; each entry names its line and column in the file."


class Log:
    """Collects the problems of one text. `at` counts characters of that text from 0."""

    def __init__(self, text: str) -> None:
        self._line_starts = [0] + [index + 1 for index, character in enumerate(text) if character == "\n"]
        self._problems: list[Problem] = []
        self.where: dict[str, tuple[int, int]] = {}  # path → line and column, for whatever has been read

    def place(self, at: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_right(self._line_starts, at)
        return line, at - self._line_starts[line - 1] + 1

    def add(self, code: str, message: str, *, at: int, path: str | None = None) -> None:
        """Note a problem at that character."""
        line, column = self.place(at)
        self._problems.append(Problem(code=code, message=message, line=line, column=column, path=path))

    def add_at(self, path: str, code: str, message: str) -> None:
        """Note a problem at a path that has been read, or at the nearest part of it that has."""
        line, column = self.where.get(path) or self.where.get(path.rpartition(".")[0]) or (1, 1)
        self._problems.append(Problem(code=code, message=message, line=line, column=column, path=path))

    def fail(self, code: str, message: str, *, at: int) -> NoReturn:
        """Note a problem that leaves nothing to read on, and raise RecipeInvalid."""
        self.add(code, message, at=at)
        self.raise_if_any()
        raise AssertionError("a problem was just noted")

    def raise_if_any(self) -> None:
        """Raise RecipeInvalid with everything noted, in file order; nothing when all is well."""
        if not self._problems:
            return
        found = sorted(self._problems, key=lambda problem: (problem.line or 0, problem.column or 0))
        count = f"{len(found)} problems" if len(found) > 1 else "1 problem"
        raise RecipeInvalid(f"The recipe has {count}: {found[0].message}", problems=found[:_REPORTED_AT_MOST])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean "…"?`, or nothing when no known word is near."""
    near = get_close_matches(word[:80], list(known), n=1, cutoff=0.6)
    return f' Did you mean "{near[0]}"?' if near else ""


def listed(words: Iterable[str]) -> str:
    """`a, b, c`, for a sentence."""
    return ", ".join(words)


def shown(word: str) -> str:
    """A caller's word, quoted and short enough for a sentence."""
    return f'"{word}"' if len(word) <= 60 else f'"{word[:57]}…"'
