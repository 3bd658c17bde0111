"""What a list may be narrowed by: each parameter with its column, how it is read, and how the contract speaks of it."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from core.errors import BadInput, Problem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST_MS = 253_402_300_799_999  # the last that a date can be


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One parameter. `read` raises ValueError for what it cannot be; `hint` then says what it can."""

    name: str
    lookup: str
    read: Callable[[str], Any]
    hint: str
    about: str
    schema: Mapping[str, Any]


def word(name: str, lookup: str, words: Iterable[str], *, about: str = "") -> Filter:
    """One of some words."""
    known = [str(one) for one in words]

    def read(text: str) -> str:
        if text not in known:
            raise ValueError
        return text

    hint = f"one of {', '.join(sorted(known))}"
    return Filter(name=name, lookup=lookup, read=read, hint=hint, about=about, schema={"type": "string", "enum": known})


def text(name: str, lookup: str, *, hint: str, at_most: int = 64, about: str = "") -> Filter:
    """A text that the column must equal."""

    def read(given: str) -> str:
        if "\0" in given or len(given) > at_most:
            raise ValueError
        return given

    return Filter(
        name=name, lookup=lookup, read=read, hint=hint, about=about, schema={"type": "string", "maxLength": at_most}
    )


def flag(name: str, lookup: str, *, about: str) -> Filter:
    """true or false."""
    known = {"true": True, "false": False}

    def read(given: str) -> bool:
        if given not in known:
            raise ValueError
        return known[given]

    return Filter(name=name, lookup=lookup, read=read, hint="true or false", about=about, schema={"type": "boolean"})


def moment(name: str, lookup: str, *, about: str) -> Filter:
    """Milliseconds since 1970."""

    def read(given: str) -> datetime:
        if not (given.isascii() and given.isdigit() and len(given) <= 15 and int(given) <= _LATEST_MS):
            raise ValueError
        return _EPOCH + timedelta(milliseconds=int(given))

    shape = {"type": "integer", "format": "int64", "minimum": 0, "maximum": _LATEST_MS}
    return Filter(name=name, lookup=lookup, read=read, hint="milliseconds since 1970", about=about, schema=shape)


def parameters(filters: Iterable[Filter]) -> list[OpenApiParameter]:
    """For `extend_schema(parameters=…)`."""
    return [OpenApiParameter(one.name, dict(one.schema), description=one.about) for one in filters]


def read_filters(given: Mapping[str, str], filters: Iterable[Filter]) -> dict[str, Any]:
    """What to narrow the rows by. Raises BadInput, naming every parameter that is wrong."""
    found: dict[str, Any] = {}
    problems = []
    for one in filters:
        value = given.get(one.name)
        if value is None:
            continue
        try:
            found[one.lookup] = one.read(value)
        except ValueError:
            problems.append(Problem(code="PARAMETER_INVALID", message=f"{one.name} is {one.hint}.", path=one.name))
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    return found
