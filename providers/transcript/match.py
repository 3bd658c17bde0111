"""What was recorded against what is said now. A name such as `{id-1}` stands for one string, whatever it is."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from providers.transcript.clean import HIDDEN_FROM, PLACEHOLDER

_ANY = {"id": r"[^/?&]+"}  # of the others, anything
_BY_CHANCE = frozenset({"seed"})  # another one for each attempt
_FIXED = frozenset({"origin", "secret", "host", "elsewhere"})


class Names:
    """What a transcript's names stand for in one conversation; those that the vendor would choose are made up."""

    def __init__(self, *, origin: str, take: int) -> None:
        self.origin = origin
        self.take = take
        self._known: dict[str, str] = {}

    def of(self, name: str) -> str:
        """What it stands for from now on."""
        kind, _, number = name.partition("-")
        if kind in _FIXED:
            return {"origin": self.origin, "secret": "secret"}.get(kind, f"{self.origin}/__{kind}__/{number}")
        return self._known.setdefault(name, f"{name}-{self.take}")

    def learn(self, learned: Iterable[tuple[str, str]]) -> bool:
        """Take them over, unless one of them stands for something else already."""
        known = dict(self._known)
        if any(known.setdefault(name, one) != one for name, one in learned if name.partition("-")[0] not in _FIXED):
            return False
        self._known = known
        return True

    def copy(self) -> "Names":
        """The same, to try something with."""
        made = Names(origin=self.origin, take=self.take)
        made._known = dict(self._known)
        return made


def matches(recorded: str, said: str, names: Names) -> bool:
    """Are they the same, with `names` taken into account? Adds the names that it learns, if so."""
    said = said.replace(names.origin, "{origin}") if names.origin else said
    pattern, order, end = "", [], 0
    for found in PLACEHOLDER.finditer(recorded):
        kind = found[0][1:-1].partition("-")[0]
        pattern += re.escape(recorded[end : found.start()])
        pattern += re.escape(found[0]) if kind == "origin" else f"({_ANY.get(kind, '.+')})"
        order += [] if kind == "origin" else [found[0][1:-1]]
        end = found.end()
    fits = re.fullmatch(pattern + re.escape(recorded[end:]), said, re.DOTALL)
    return fits is not None and names.learn(zip(order, fits.groups(), strict=True))


def differences(recorded: Any, said: Any, names: Names, where: str) -> Iterator[str]:
    """Where the two JSON values are not the same, one sentence each; none repeats what was said."""
    if isinstance(recorded, Mapping) and isinstance(said, Mapping):
        yield from _of_fields(recorded, said, names, where)
    elif isinstance(recorded, list) and isinstance(said, list):
        if len(recorded) != len(said):
            yield f"{where} has {len(said)} entries, not {len(recorded)}"
        for number, (one, other) in enumerate(zip(recorded, said, strict=False)):
            yield from differences(one, other, names, f"{where}.{number}")
    elif not _is_same(recorded, said, names):
        yield f"{where} is another"


def _of_fields(recorded: Mapping[str, Any], said: Mapping[str, Any], names: Names, where: str) -> Iterator[str]:
    left = dict(said)
    for key, value in recorded.items():
        found = key if key in left else next((one for one in left if matches(key, one, names)), None)
        if found is None:
            yield f"{where}.{key} is not there any more"
            continue
        now = left.pop(found)
        if key not in _BY_CHANCE:
            yield from differences(value, now, names, f"{where}.{key}")
    yield from (f"{where}.{key} is new" for key in left)


def _is_same(recorded: Any, said: Any, names: Names) -> bool:
    if isinstance(recorded, str) and isinstance(said, str):
        return matches(recorded, said, names)
    hidden = recorded == 0 and isinstance(said, int | float) and abs(said) >= HIDDEN_FROM
    return hidden or (type(recorded) is type(said) and bool(recorded == said))


def fill(recorded: Any, names: Names, data: Callable[[str], str] | None = None) -> Any:
    """The value with what its names stand for. `data` gives bytes written as text."""
    if isinstance(recorded, Mapping):
        return {str(fill(key, names, data)): fill(value, names, data) for key, value in recorded.items()}
    if isinstance(recorded, list):
        return [fill(one, names, data) for one in recorded]
    if not isinstance(recorded, str):
        return recorded

    def stand_in(found: re.Match[str]) -> str:
        name = found[0][1:-1]
        return data(name) if data and name.startswith("data-") else names.of(name)

    return PLACEHOLDER.sub(stand_in, recorded)
