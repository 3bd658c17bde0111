"""What an event says: JSON in, a typed event or what is wrong with it out. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from core.errors import BadInput, Problem
from flows.fields import UNSTORABLE, storable
from flows.manifest import digest_of

MAX_ID, MAX_TYPE = 1000, 300
MAX_ID_BYTES = 2000  # more does not fit into the index that makes an id unique
_KNOWN = ("id", "type", "source", "occurredAt", "receivedAt", "payload")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event as its sender told it. `extra` holds the fields that we have no name for: they are handed on."""

    id: str
    type: str
    source: str | None
    occurred_at: str | None
    received_at: str
    payload: Any
    extra: Mapping[str, Any] = field(repr=False)

    @property
    def digest(self) -> str:
        """Of all but when it was received, which differs from one delivery to the next."""
        return digest_of([self.id, self.type, self.source, self.occurred_at, self.payload, self.extra])


def read_event(data: Any, *, at: datetime) -> Event:
    """The event; without a receivedAt it was received at `at`. Raises BadInput with everything that is wrong."""
    if not isinstance(data, Mapping):
        raise BadInput("An event is a JSON object.", problems=[_problem("", "An event is a JSON object.")])
    problems = [*_texts(data)]
    if not problems and not storable(dict(data)):
        problems.append(_problem("", UNSTORABLE))
    if problems:
        raise BadInput("The event is not valid.", problems=problems)
    return Event(
        id=data["id"],
        type=data["type"],
        source=data.get("source"),
        occurred_at=data.get("occurredAt"),
        received_at=data.get("receivedAt") or iso(at),
        payload=data.get("payload", {}),
        extra={name: value for name, value in data.items() if name not in _KNOWN},
    )


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds and a Z, as JavaScript writes it."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _texts(data: Mapping[str, Any]) -> list[Problem]:
    found = []
    for name, most in (("id", MAX_ID), ("type", MAX_TYPE)):
        value = data.get(name)
        if not isinstance(value, str) or not 0 < len(value) <= most:
            found.append(_problem(name, f"This is a text of 1 to {most} characters."))
    if not found and len(data["id"].encode(errors="surrogatepass")) > MAX_ID_BYTES:
        found.append(_problem("id", f"This has at most {MAX_ID_BYTES} bytes as UTF-8."))
    for name in ("source", "occurredAt", "receivedAt"):
        value = data.get(name)
        if value is not None and (not isinstance(value, str) or len(value) > MAX_ID):
            found.append(_problem(name, f"This is a text of at most {MAX_ID} characters."))
    return found


def _problem(path: str, message: str) -> Problem:
    return Problem(code="EVENT_INVALID", message=message, path=path or None)
