"""Change single values in a recipe's text; everything else, comments too, stays as its author wrote it.

Only for texts that `parse` accepts: what is written here is held against the tree that it should give, so a change
either is exactly the one that was asked for or is not made.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import yaml

from zaps.recipe.frontmatter import split

Path: TypeAlias = tuple[str | int, ...]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WIDE = 1_000_000  # characters before a line is folded
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset("true false yes no on off null y n".split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """`key: value` in the map at `path`, replacing what `key` or `instead_of` says there.

    Where neither stands there, it is added behind `after`, or somewhere where there is no such key. `value` is made of
    texts, numbers, truth values, lists and maps; a number that must keep its digits is a Decimal.
    """

    path: Path
    key: str
    value: Any
    after: str = ""
    instead_of: str = ""


def rewrite(source: str, changes: Sequence[Change], *, comment: str = "") -> str:
    """`source` with the changes, and with `comment` as the first line of its frontmatter.

    Line ends become LF. A frontmatter in which the changes cannot be made in place (one with `? key` lines, say) is
    written anew, without its comments.
    """
    text = source.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    matter = split(text)
    changed = _changed(matter.text, changes)
    if changed is None:
        changed = _changed(_normal(matter.text), changes)
    if changed is None:
        raise ValueError("The changes cannot be made in this text.")
    head = f"# {comment}\n" if comment else ""
    return text[: matter.start] + head + changed + text[matter.start + len(matter.text) :]


def inline(value: Any) -> str:
    """`value` as YAML on one line; a text that could be taken for something else is quoted."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{inline(name)}: {inline(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(inline, value)) + "]"
    if isinstance(value, str):
        if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
            return value
        return str(yaml.dump(value, default_style='"', width=_WIDE)).rstrip("\n")
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return format(value, "f") if not isinstance(value, int) else str(value)


def _changed(text: str, changes: Sequence[Change]) -> str | None:
    """The text with the changes made in place; None where that gives anything else than them."""
    root = _compose(text)
    wanted = _data(root)
    added: set[int] = set()
    edits = []
    for number, change in enumerate(changes):
        start, end, put = _edit(text, _at(root, change.path), change, added)
        edits.append((start, end, number, put))
        _expect(wanted, change)
    for start, end, _, put in sorted(edits, reverse=True):  # from the back, so that places stay where they are
        text = text[:start] + put + text[end:]
    try:
        return text if _data(_compose(text)) == wanted else None
    except yaml.YAMLError:
        return None


def _edit(text: str, place: yaml.MappingNode, change: Change, added: set[int]) -> tuple[int, int, str]:
    """Where to cut, up to where, and what to put there. `added`: the flow maps that this has added to before."""
    entry = f"{change.key}: {inline(change.value)}"
    for key, value in place.value:
        if key.value in (change.key, change.instead_of):
            return key.start_mark.index, _end(text, value), entry
    if not place.flow_style:
        at, column = _gap(place, change.after)
        return at, at, f"{entry}\n{' ' * column}"
    comma = ", " if place.value or id(place) in added else ""
    added.add(id(place))
    at = _end(text, place.value[-1][1]) if place.value else place.start_mark.index + 1
    return at, at, f"{comma}{entry}"


def _gap(place: yaml.MappingNode, after: str) -> tuple[int, int]:
    """Where a line of a block map can be put in: before the key behind `after`, else before `after`, else first."""
    column = place.start_mark.column
    keys = [key for key, _ in place.value]
    behind = next((number + 1 for number, key in enumerate(keys) if key.value == after), 0)
    for key in (keys[behind : behind + 1] or keys[-1:]) if behind else ():
        if key.start_mark.column == column:  # else it follows a `?`
            return key.start_mark.index, column
    return place.start_mark.index, column


def _end(text: str, node: yaml.Node) -> int:
    """Where its last character stands; the marks of block styles include what follows, up to the next token."""
    if isinstance(node, yaml.ScalarNode):
        if node.style not in ("|", ">"):
            return int(node.end_mark.index)
        return len(text[: node.end_mark.index].rstrip())
    if not isinstance(node, yaml.CollectionNode) or node.flow_style:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(text, last[1] if isinstance(last, tuple) else last)


def _compose(text: str) -> yaml.MappingNode:
    node = yaml.compose(text, Loader=_LOADER)
    if not isinstance(node, yaml.MappingNode):
        raise yaml.YAMLError("no map")
    return node


def _at(node: Any, path: Path) -> yaml.MappingNode:
    for one in path:
        node = node.value[one] if isinstance(one, int) else next(v for k, v in node.value if k.value == one)
    return node  # type: ignore[no-any-return]


def _data(node: Any) -> Any:
    """What the text says: maps, lists, and texts with whether they stand there without quotes."""
    if isinstance(node, yaml.MappingNode):
        return {str(key.value): _data(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_data(one) for one in node.value]
    return node.value, not node.style


def _expect(data: Any, change: Change) -> None:
    """Make the change in what `_data` gave."""
    for one in change.path:
        data = data[one]
    data.pop(change.instead_of, None)
    data[change.key] = _data(yaml.compose(inline(change.value), Loader=_LOADER))


def _normal(text: str) -> str:
    """The same tree, written plainly."""
    root = _compose(text)
    _fill(root)
    return str(yaml.serialize(root, Dumper=yaml.SafeDumper, width=_WIDE, allow_unicode=True))


def _fill(node: Any) -> None:
    """Write null where nothing stands: in a list on one line nothing cannot be written without a tag."""
    if not isinstance(node, yaml.ScalarNode):
        for one in node.value:
            for part in one if isinstance(one, tuple) else (one,):
                _fill(part)
    elif not node.style and not node.value:
        node.value = "null"
