"""Whether an event starts a step, and if not, why not. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flows import schemas
from flows.manifest import Step

_PLACE = re.compile(r"\{(payload(?:\.[^{}.]+)+|type|source)\}")
_LONGEST_KEY = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A step that listens to an event's type, and its content as stored. `schema` is JSON text; "" asks for nothing."""

    flow: str
    version: float
    revision: int
    root: str
    config: Any
    step: Step
    content: Mapping[str, Any]
    schema: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The steps that an event starts, in order, and those that it does not, with the reason."""

    started: list[Listener]
    missed: list[dict[str, str]]


def match(listeners: list[Listener], payload: Any) -> Matches:
    """Which of the steps that listen to an event's type its payload fits."""
    started, missed = [], []
    for one in listeners:
        reason = schemas.misfit(one.schema, payload) if one.schema else ""
        if reason:
            missed.append({"flow": one.flow, "step": one.step.name, "reason": reason})
        else:
            started.append(one)
    return Matches(started=started, missed=missed)


def concurrency_key(text: str, *, type: str, source: str | None, payload: Any) -> str:
    """A step's concurrency key with the event's values in its places; an absent value is empty."""

    def value(found: re.Match[str]) -> str:
        first, *rest = found[1].split(".")
        here: Any = {"payload": payload, "type": type, "source": source or ""}[first]
        for name in rest:
            here = here.get(name) if isinstance(here, dict) else None
        return "" if here is None or isinstance(here, dict | list) else str(here)

    return _PLACE.sub(value, text)[:_LONGEST_KEY]
