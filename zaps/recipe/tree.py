"""YAML as a tree that remembers where everything stands, and no more YAML than a recipe needs.

Aliases, tags and deep nesting are refused. Scalars stay the text that was written: what they mean is decided by the
field that they stand in, so `NO`, `on`, `2024-01-01` and `010` are never turned into something else on the way.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml
from yaml import events

from zaps.recipe.errors import shown
from zaps.recipe.frontmatter import UNSTORABLE, Frontmatter

_DEEP = 16
#: libyaml's, which every wheel of PyYAML brings: fast, and it takes `{hint: Why?}`, which the one in Python refuses
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scalar:
    """A text as written. `plain`: it stood there without quotes."""

    at: int
    text: str
    plain: bool

    @property
    def is_null(self) -> bool:
        """Nothing, `~` or `null`."""
        return self.plain and self.text in ("", "~", "null", "Null", "NULL")


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """A list."""

    at: int
    items: list["Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A value with the place of its key."""

    key_at: int
    node: "Node"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fields:
    """A map; of a key that stands twice, the first."""

    at: int
    entries: dict[str, Entry] = field(default_factory=dict)


Node: TypeAlias = Scalar | Items | Fields


def compose(matter: Frontmatter) -> Node | None:
    """The tree; None when there is nothing in it. Raises RecipeInvalid; duplicate keys are only noted in the log."""
    builder = _Builder(matter)
    try:
        builder.build(yaml.parse(matter.text, Loader=_LOADER))
    except yaml.YAMLError as exc:
        matter.log.fail(
            "RECIPE_YAML",
            f"This is not YAML: {_reason(exc)}. Quote a text that holds one of : # ? {{ }} [ ] , or starts oddly.",
            at=matter.start + _position(exc),
        )
    except (ValueError, OverflowError):
        matter.log.fail(
            "RECIPE_YAML", "This is not YAML: a number or an escape in it is out of range.", at=matter.start
        )
    return builder.root


def _reason(exc: yaml.YAMLError) -> str:
    return str(getattr(exc, "problem", None) or getattr(exc, "reason", None) or "it cannot be read")


def _position(exc: yaml.YAMLError) -> int:
    mark = getattr(exc, "problem_mark", None) or getattr(exc, "context_mark", None)
    return int(mark.index if mark is not None else getattr(exc, "position", 0))


@dataclass(slots=True)
class _Open:
    """A list or map that is being read. `key`: of a map, the key whose value comes next."""

    node: Items | Fields
    key: Scalar | None = None


class _Builder:
    def __init__(self, matter: Frontmatter) -> None:
        self._matter = matter
        self._log = matter.log
        self._open: list[_Open] = []
        self.root: Node | None = None

    def build(self, stream: Iterable[events.Event]) -> None:
        for event in stream:
            at = self._matter.start + (event.start_mark.index if event.start_mark else 0)
            self._refuse(event, at)
            if isinstance(event, events.ScalarEvent):
                self._attach(self._scalar(event, at))
            elif isinstance(event, events.SequenceStartEvent):
                self._enter(Items(at=at))
            elif isinstance(event, events.MappingStartEvent):
                self._enter(Fields(at=at))
            elif isinstance(event, events.CollectionEndEvent):
                self._open.pop()

    def _refuse(self, event: events.Event, at: int) -> None:
        if isinstance(event, events.AliasEvent) or getattr(event, "anchor", None):
            self._log.fail(
                "RECIPE_ALIAS",
                "YAML anchors and aliases (& and *) are not used in recipes; quote the text if it is one.",
                at=at,
            )
        if getattr(event, "tag", None):
            self._log.fail("RECIPE_TAG", "YAML tags (!) are not used in recipes; quote the text if it is one.", at=at)
        if isinstance(event, events.DocumentStartEvent) and self.root is not None:
            self._log.fail("RECIPE_YAML", "The frontmatter holds more than one YAML document.", at=at)

    def _scalar(self, event: events.ScalarEvent, at: int) -> Scalar:
        if UNSTORABLE.search(event.value):
            self._log.fail("RECIPE_CHARACTER", "An escape in this text makes a character that cannot be stored.", at=at)
        return Scalar(at=at, text=event.value, plain=not event.style)

    def _enter(self, node: Items | Fields) -> None:
        if len(self._open) >= _DEEP:
            self._log.fail("RECIPE_NESTING", f"Nothing in a recipe is nested more than {_DEEP} deep.", at=node.at)
        self._attach(node)
        self._open.append(_Open(node))

    def _attach(self, node: Node) -> None:
        if not self._open:
            self.root = node
            return
        top = self._open[-1]
        if isinstance(top.node, Items):
            top.node.items.append(node)
        elif top.key is None:
            if not isinstance(node, Scalar):
                self._log.fail("RECIPE_YAML", "A key is a word, not a list or a map.", at=node.at)
            top.key = node
        else:
            self._put(top.node, top.key, node)
            top.key = None

    def _put(self, fields: Fields, key: Scalar, node: Node) -> None:
        first = fields.entries.get(key.text)
        if first is None:
            fields.entries[key.text] = Entry(key_at=key.at, node=node)
            return
        line, _ = self._log.place(first.key_at)
        self._log.add("RECIPE_DUPLICATE_KEY", f"The key {shown(key.text)} already stands in line {line}.", at=key.at)
