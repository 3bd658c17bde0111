"""The rows of a batch, out of CSV or JSON Lines. Pure: text in, rows with their places out.

CSV is what RFC 4180 describes: commas, double quotes, a head. A row of JSON Lines is one object a line.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.errors import BadInput, Problem

MOST_BYTES, MOST_ROWS = 1024 * 1024, 1000
FORMATS = ("csv", "jsonl")


@dataclass(frozen=True, slots=True)
class Cell:
    """A value and where it begins, line and column from 1."""

    value: Any
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number among the rows from 1, its line in the file from 1, its cells by name."""

    number: int
    line: int
    cells: Mapping[str, Cell] = field(repr=False)

    @property
    def values(self) -> dict[str, Any]:
        """By name."""
        return {name: cell.value for name, cell in self.cells.items()}

    def problem(self, found: Problem) -> Problem:
        """What is wrong with one of its inputs, at its place in the file."""
        name = (found.path or "").removeprefix("inputs.")
        cell = self.cells.get(name)
        return Problem(
            code=found.code,
            message=f"Row {self.number}: {found.message}",
            line=cell.line if cell else self.line,
            column=cell.column if cell else 1,
            path=f"rows[{self.number}].{name}" if found.path else f"rows[{self.number}]",
        )


def read(text: str, form: str) -> list[Row]:
    """The rows. Raises BadInput, naming every line that cannot be read."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise _refused([_problem("BATCH_TOO_LARGE", "A batch has at most 1 MB.")])
    text = text.removeprefix("\ufeff")
    problems: list[Problem] = []
    rows = list(_read_csv(text, problems) if form == "csv" else _read_jsonl(text, problems))
    if not rows and not problems:
        problems.append(_problem("BATCH_EMPTY", "There is no row in it."))
    if len(rows) > MOST_ROWS:
        sentence = f"A batch has at most {MOST_ROWS:,} rows; this has {len(rows):,}."
        problems = [_problem("BATCH_TOO_LARGE", sentence, rows[MOST_ROWS].line)]
    if problems:
        raise _refused(problems)
    return rows


def _read_csv(text: str, problems: list[Problem]) -> Iterator[Row]:
    records = _records(text, problems)
    head = next(records, None)
    if head is None:
        return
    names = [cell.value.strip() for cell in head]
    for at, cell in enumerate(head):
        if not names[at] or names[at] in names[:at]:
            said = f"The column {names[at]!r} is there twice." if names[at] else "This column has no name."
            problems.append(_problem("COLUMN_INVALID", said, cell.line, cell.column))
    for number, cells in enumerate(records, 1):
        if len(cells) != len(names):
            said = f"Row {number} has {len(cells)} values; the head names {len(names)}."
            problems.append(_problem("ROW_UNEVEN", said, cells[0].line, cells[0].column))
        given = {name: cell for name, cell in zip(names, cells, strict=False) if cell.value.strip()}
        yield Row(number, cells[0].line, given)


def _records(text: str, problems: list[Problem]) -> Iterator[list[Cell]]:
    """The cells, record by record; empty lines are none."""
    at, line, start = 0, 1, 0  # `start` is where the line begins
    record: list[Cell] = []
    while at < len(text) or record:
        begin = (line, at - start + 1)
        if text[at : at + 1] == '"':
            value, at, line, start = _quoted(text, at, line, start)
            if at > len(text) or text[at : at + 1] not in (",", "\r", "\n", ""):
                problems.append(_problem("CSV_BROKEN", "A quoted value does not end where it should.", *begin))
                return
        else:
            end = min((found for mark in ",\r\n" if (found := text.find(mark, at)) >= 0), default=len(text))
            value, at = text[at:end], end
        record.append(Cell(value, *begin))
        if text[at : at + 1] == ",":
            at += 1
            continue
        at += 2 if text[at : at + 2] == "\r\n" else 1
        line, start = line + 1, at
        if len(record) > 1 or record[0].value:
            yield record
        record = []


def _quoted(text: str, at: int, line: int, start: int) -> tuple[str, int, int, int]:
    """A quoted value, where it ends, and the line that this is on; beyond the text where it never ends."""
    parts = []
    while True:
        end = text.find('"', at + 1)
        if end < 0:
            return "", len(text) + 1, line, start
        part = text[at + 1 : end]
        line += part.count("\n")
        start = at + 1 + part.rindex("\n") + 1 if "\n" in part else start
        parts.append(part)
        if text[end + 1 : end + 2] != '"':
            return '"'.join(parts), end + 1, line, start
        at = end + 1


def _read_jsonl(text: str, problems: list[Problem]) -> Iterator[Row]:
    number = 0
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        number += 1
        try:
            found = json.loads(content, parse_constant=_refuse)
            json.dumps(found, ensure_ascii=False).encode()  # half a character cannot be told, nor kept
        except json.JSONDecodeError as exc:
            problems.append(_problem("JSON_BROKEN", f"Row {number} is no JSON.", line, exc.colno))
            continue
        except (ValueError, RecursionError):
            problems.append(_problem("JSON_BROKEN", f"Row {number} holds what is no JSON.", line, 1))
            continue
        if not isinstance(found, dict):
            problems.append(_problem("JSON_BROKEN", f"Row {number} is no object.", line, 1))
            continue
        yield Row(number, line, {name: Cell(value, line, _column(content, name)) for name, value in found.items()})


def _column(content: str, name: str) -> int:
    """Where the name stands; 1 where it is written in another way than we would."""
    return max(content.find(json.dumps(name, ensure_ascii=False)), 0) + 1


def _refuse(name: str) -> float:
    raise ValueError(name)


def _problem(code: str, sentence: str, line: int | None = None, column: int | None = None) -> Problem:
    return Problem(code=code, message=sentence, line=line, column=1 if line and not column else column, path="rows")


def _refused(problems: list[Problem]) -> BadInput:
    return BadInput(problems[0].message, problems=problems)
