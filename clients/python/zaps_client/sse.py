"""Server-sent events, read from bytes as they come."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamEvent:
    """One event. `id` is the last that the stream named; `retry_s` how long it wants to be left alone after a break."""

    name: str
    data: str
    id: str
    retry_s: float | None


def read_events(chunks: Iterable[bytes]) -> Iterator[StreamEvent]:
    """The events of a stream. What stands after the last empty line was cut off, and is left out."""
    name, data, last_id, retry_s = "", list[str](), "", None
    for line in _lines(chunks):
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if not line:
            if data:
                yield StreamEvent(name=name or "message", data="\n".join(data), id=last_id, retry_s=retry_s)
            name, data = "", []
        elif field == "event":
            name = value
        elif field == "data":
            data.append(value)
        elif field == "id":
            last_id = value
        elif field == "retry" and value.isascii() and value.isdigit():
            retry_s = int(value) / 1000


def _lines(chunks: Iterable[bytes]) -> Iterator[str]:
    """Whole lines, whatever ends them (LF, CR LF, CR) and wherever the network cut them."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        # A CR at the very end may be the first half of CR LF: it waits for what comes next.
        held = b"\r" if rest.endswith(b"\r") else b""
        *lines, rest = rest.removesuffix(held).replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        rest += held
        yield from (line.decode("utf-8", "replace") for line in lines)
