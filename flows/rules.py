"""JSON Schema's rules, draft 2020-12, such that none takes for ever: whoever sends a payload chooses how long it is.

Trying a payload costs work, which is counted. Patterns are tried by an engine whose time grows with the length of the
text and nothing else; it knows no look-around and no back references.
"""

import re
import threading
from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import re2
from jsonschema import Draft202012Validator, ValidationError, validators

MAX_WORK = 200_000  #: what trying one payload may cost; a second or two
MAX_PATTERN = 3000  #: how big an automaton a pattern may become

_UNICODE = re.compile(r"((?<!\\)(?:\\\\)*)\\u([0-9A-Fa-f]{4})")
_left = threading.local()

Rule = Callable[[Any, Any, Any, Any], Iterator[ValidationError] | None]


class TooMuchWork(Exception):
    """The payload cannot be tried on the schema for what it may cost."""


class BadPattern(ValueError):
    """The pattern is none, or asks for more than an engine without backtracking can do."""


@lru_cache(maxsize=2048)
def pattern(text: str) -> Any:
    """A pattern, compiled. Raises BadPattern."""
    options = re2.Options()
    options.log_errors = False
    try:
        found = re2.compile(_UNICODE.sub(r"\1\\x{\2}", text), options)
    except (re2.error, UnicodeEncodeError) as exc:
        raise BadPattern from exc
    if found.programsize > MAX_PATTERN:
        raise BadPattern
    return found


def begin() -> None:
    """One payload is tried from here on, in this thread."""
    _left.work = MAX_WORK


def _spend(work: int) -> None:
    _left.work -= work
    if _left.work < 0:
        raise TooMuchWork


def _is_found(text: str, where: str) -> bool:
    expression = pattern(text)
    _spend(1 + expression.programsize * len(where) // 1000)
    return bool(expression.search(where))


def _pattern(_validator: Any, text: str, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(value, str) and not _is_found(text, value):
        yield ValidationError("The text does not match.")


def _pattern_properties(
    validator: Any, rules: Mapping[str, Any], value: Any, _schema: Any
) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    for text, rule in rules.items():
        for name in value:
            if _is_found(text, name):
                yield from validator.descend(value[name], rule, path=name, schema_path=text)


def _additional_properties(validator: Any, rule: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    if not isinstance(value, dict):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    others = [name for name in value if name not in named and not any(_is_found(text, name) for text in patterns)]
    if rule is False and others:
        yield ValidationError("There are other properties.")
    elif rule is not False:
        for name in others:
            yield from validator.descend(value[name], rule, path=name)


def _unique_items(_validator: Any, rule: bool, value: Any, _schema: Any) -> Iterator[ValidationError]:
    if rule and isinstance(value, list) and len({_same(item) for item in value}) < len(value):
        yield ValidationError("Two items are the same.")


def _same(value: Any) -> Hashable:
    """Equal for what JSON Schema takes for equal: 1 and 1.0, but not 1 and true."""
    if isinstance(value, list):
        return "list", tuple(map(_same, value))
    if isinstance(value, dict):
        return "object", frozenset((name, _same(item)) for name, item in value.items())
    return ("flag", value) if isinstance(value, bool) else value


def _counted(name: str, rule: Rule) -> Rule:
    """The rule at a price: its own size and the value's, which is squared where each is compared with each."""
    is_square = name.startswith("unevaluated")

    def try_it(validator: Any, asked: Any, value: Any, schema: Any) -> Iterator[ValidationError] | None:
        size = len(value) if isinstance(value, list | dict) else 0
        parts = len(asked) if isinstance(asked, list | dict) else 0
        _spend(1 + (size + parts) // 50 + (size * size // 1000 if is_square else 0))
        return rule(validator, asked, value, schema)

    return try_it


_OURS: dict[str, Rule] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}
PayloadValidator: Any = validators.extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    {name: _counted(name, rule) for name, rule in {**Draft202012Validator.VALIDATORS, **_OURS}.items()},
)
