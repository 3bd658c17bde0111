"""Typed reading of the tree: each method gives the value, or notes a problem and gives None."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from zaps.recipe.errors import Log, did_you_mean, listed, shown
from zaps.recipe.tree import Entry, Fields, Items, Node, Scalar

_TRUE = frozenset("true True TRUE yes Yes YES on On ON".split())
_FALSE = frozenset("false False FALSE no No NO off Off OFF".split())
_NUMBER = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,12})?")
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?(?:[eE][-+]?[0-9]{1,2})?")
_TEXT_AT_MOST = 20_000
_ITEMS_AT_MOST = 256


@dataclass(frozen=True, slots=True)
class Field:
    """A value with its path, `steps[2].duration_s`."""

    node: Node
    path: str
    log: Log

    def wrong(self, code: str, message: str) -> None:
        """Note a problem at this value."""
        self.log.add(code, message, at=self.node.at, path=self.path)

    def text(self, *, empty_is_fine: bool = False) -> str | None:
        """A text, exactly as it was written."""
        if not isinstance(self.node, Scalar):
            self._not("a text")
            return None
        if self.node.is_null:
            self._not("a text, and this is empty; fill it in or leave the key out")
            return None
        if not self.node.text.strip() and not empty_is_fine:
            self._not("a text, and this is empty")
            return None
        if len(self.node.text) > _TEXT_AT_MOST:
            self.wrong("RECIPE_TOO_LARGE", f"{self.path} has more than {_TEXT_AT_MOST:,} characters.")
            return None
        return self.node.text

    def choice(self, known: Iterable[str], *, code: str = "RECIPE_CHOICE") -> str | None:
        """One of the known words."""
        word = self.text()
        if word is None or word in (words := tuple(known)):
            return word
        near = did_you_mean(word, words) or f" There are: {listed(words)}."
        self.wrong(code, f"{self.path} cannot be {shown(word)}.{near}")
        return None

    def matching(self, pattern: re.Pattern[str], *, code: str, rule: str) -> str | None:
        """A text of the pattern; `rule` says the pattern in words."""
        word = self.text()
        if word is None or pattern.fullmatch(word):
            return word
        self.wrong(code, f"{self.path} cannot be {shown(word)}: {rule}.")
        return None

    def flag(self) -> bool | None:
        """true or false; also yes, no, on and off, without quotes."""
        if isinstance(self.node, Scalar) and self.node.plain:
            if self.node.text in _TRUE:
                return True
            if self.node.text in _FALSE:
                return False
        self._not("true or false, without quotes")
        return None

    def number(self, *, least: Decimal | int, most: Decimal | int, above: bool = False) -> Decimal | None:
        """A decimal number from `least` to `most`; with `above`, not `least` itself."""
        if not isinstance(self.node, Scalar) or not self.node.plain or not _NUMBER.fullmatch(self.node.text):
            self._not("a plain decimal number, such as 5 or 0.25, without quotes or leading zeros")
            return None
        value = Decimal(self.node.text)
        if value > most or value < least or (above and value == least):
            low = f"more than {least}" if above else f"at least {least}"
            self.wrong("RECIPE_RANGE", f"{self.path} is {value}; it must be {low} and at most {most:,}.")
            return None
        return value

    def whole(self, *, least: int, most: int) -> int | None:
        """A whole number in that range."""
        value = self.number(least=least, most=most)
        if value is None:
            return None
        if value != value.to_integral_value():
            self._not("a whole number")
            return None
        return int(value)

    def items(self) -> list["Field"]:
        """The values of a list; [] after a problem."""
        if not isinstance(self.node, Items):
            self._not("a list")
            return []
        if len(self.node.items) > _ITEMS_AT_MOST:
            self.wrong("RECIPE_TOO_MANY", f"{self.path} has more than {_ITEMS_AT_MOST} entries.")
            return []
        found = [Field(node, f"{self.path}[{index}]", self.log) for index, node in enumerate(self.node.items)]
        for one in found:
            self.log.where[one.path] = self.log.place(one.node.at)
        return found

    def texts(self) -> tuple[str, ...]:
        """A list of texts."""
        return tuple(word for one in self.items() if (word := one.text()) is not None)

    def section(self) -> "Section":
        """A map; an empty one after a problem."""
        if isinstance(self.node, Fields):
            return Section(self.node, self.path, self.log)
        self._not("a map of keys and values")
        return Section(Fields(at=self.node.at), self.path, self.log, broken=True)

    def raw(self) -> Any:
        """The value as JSON, for what is kept without being understood."""
        return _json(self.node)

    def _not(self, wanted: str) -> None:
        self.wrong("RECIPE_TYPE", f"{self.path} must be {wanted}.")


class Section:
    """A map that is read key by key. After the last one, `close` notes every key that nobody asked for."""

    def __init__(self, node: Fields, path: str, log: Log, *, broken: bool = False) -> None:
        self._node, self.path, self._log = node, path, log
        self._broken = broken
        self._known: set[str] = set()

    def get(self, name: str) -> Field | None:
        """The value of an optional key."""
        self._known.add(name)
        entry = self._node.entries.get(name)
        return self._field(name, entry) if entry is not None else None

    def need(self, name: str) -> Field | None:
        """The value of a required key; its absence is noted."""
        found = self.get(name)
        if found is None and not self._broken:
            path = self._path(name)
            self._log.add("RECIPE_MISSING", f"{path} is missing.", at=self._node.at, path=path)
        return found

    def each(self) -> Iterator[tuple[str, Field]]:
        """Every key and value, for a map with free keys."""
        for name, entry in self._node.entries.items():
            self._known.add(name)
            yield name, self._field(name, entry)

    def rest(self) -> dict[str, Any]:
        """What nobody asked for, as JSON: for a record that is free to hold more."""
        asked = set(self._known)
        return {name: field.raw() for name, field in self.each() if name not in asked}

    def third_party(self, *also: str) -> dict[str, Any]:
        """The keys of third parties (`x_…`) and those in `also`, as JSON."""
        names = [name for name in self._node.entries if name.startswith("x_") or name in also]
        return {name: field.raw() for name in names if (field := self.get(name)) is not None}

    def close(self) -> None:
        """Note the keys that mean nothing here."""
        for name, entry in self._node.entries.items():
            if name in self._known or name.startswith("x_"):
                continue
            near = did_you_mean(name, self._known) or f" There are: {listed(sorted(self._known))}."
            message = f"{self.path or 'A recipe'} has no key {shown(name)}.{near}"
            self._log.add("RECIPE_UNKNOWN_KEY", message, at=entry.key_at, path=self._path(name))

    def key_at(self, name: str) -> int:
        """Where the key stands."""
        return self._node.entries[name].key_at

    def _path(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def _field(self, name: str, entry: Entry) -> Field:
        path = self._path(name)
        self._log.where[path] = self._log.place(entry.node.at)
        return Field(entry.node, path, self._log)


def _json(node: Node) -> Any:
    if isinstance(node, Items):
        return [_json(one) for one in node.items]
    if isinstance(node, Fields):
        return {name: _json(entry.node) for name, entry in node.entries.items()}
    if node.is_null:
        return None
    if node.plain and node.text in ("true", "True", "TRUE", "false", "False", "FALSE"):
        return node.text.lower() == "true"
    if node.plain and _JSON_NUMBER.fullmatch(node.text):
        return int(node.text) if node.text.lstrip("-").isdigit() else float(node.text)
    return node.text
