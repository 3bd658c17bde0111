"""What the apps hold of an account. Each registers its part in its AppConfig's `ready`; nobody lists them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

STARTS_WORK, WORKS, HOLDS, LAST = 10, 20, 50, 90


def _nothing(user_pk: int) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one app holds.

    `remove(user_pk)` takes away what it can now, in small transactions of its own, and returns what it still waits for,
    a sentence each; [] once nothing is left. It is called again until then, and also when nothing is there: it must do
    no harm when repeated. `order` says when: STARTS_WORK for what begins runs by itself, WORKS for runs, HOLDS for
    what just lies there. A part is asked only once all of a lower order hold nothing any more.

    `export(user_pk)` gives what is held, by name of the file that it goes into: rows that JSON can take, read lazily.
    No secret, no digest of one, and nothing of anybody else belongs into it.
    """

    name: str
    remove: Callable[[int], Sequence[str]]
    export: Callable[[int], Mapping[str, Iterable[Mapping[str, Any]]]] = _nothing
    order: int = HOLDS


_parts: dict[str, Part] = {}


def register(part: Part) -> None:
    """Join in. A part that registers again takes its own place."""
    _parts[part.name] = part


def parts() -> list[Part]:
    """All of them, in the order in which they are taken away."""
    return sorted(_parts.values(), key=lambda part: (part.order, part.name))
