"""Where a conversation is overheard: by the transports and the download, and only while somebody records.

A tape holds what was really said, keys and all, and so it never leaves the process; `providers.transcript.page` writes
down what may be read.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TypeVar

from providers.contract import Call, Output, Reply, Talk
from providers.errors import ProviderError

T = TypeVar("T")


class Noted(Mapping[str, str]):
    """An answer's headers, which know which of them the adapter has asked for."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self._headers[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __len__(self) -> int:
        return len(self._headers)

    def asked_for(self) -> dict[str, str]:
        """Those that the adapter has looked at and that were there."""
        return {name: self._headers[name] for name in sorted(self.read) if name in self._headers}


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A call, `after_s` seconds into the recording, and its answer; or the code of why there was none."""

    call: Call
    after_s: float
    reply: Reply | None = field(default=None, repr=False)
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """A result that was taken, as its bytes say."""

    output: Output = field(repr=False)
    content_type: str
    bytes: int
    sha256: str


class Tape:
    """What was said while it ran, oldest first."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.fetched: list[Fetched] = []
        self._began = time.monotonic()

    def hear(self, talk: Talk[T]) -> Talk[T]:
        """The same conversation, each call and answer of which is kept."""
        try:
            call = next(talk)
            while True:
                after_s = time.monotonic() - self._began
                try:
                    reply = yield call
                except ProviderError as exc:
                    self.heard.append(Heard(call=call, after_s=after_s, error=exc.reason))
                    call = talk.throw(exc)
                except GeneratorExit:  # whoever held it was broken off
                    self.heard.append(Heard(call=call, after_s=after_s, error="BROKEN_OFF"))
                    raise
                else:
                    reply = replace(reply, headers=Noted(reply.headers))
                    self.heard.append(Heard(call=call, after_s=after_s, reply=reply))
                    call = talk.send(reply)
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            talk.close()


_TAPE: ContextVar[Tape | None] = ContextVar("tape", default=None)


@contextmanager
def recording() -> Iterator[Tape]:
    """A tape that hears every conversation which this thread holds meanwhile over the blocking transport."""
    tape = Tape()
    token = _TAPE.set(tape)
    try:
        yield tape
    finally:
        _TAPE.reset(token)


def overheard(talk: Talk[T]) -> Talk[T]:
    """The conversation, heard by whoever records."""
    tape = _TAPE.get()
    return talk if tape is None else tape.hear(talk)


def note_fetched(output: Output, *, content_type: str, size: int, sha256: str) -> None:
    """A result was taken."""
    tape = _TAPE.get()
    if tape is not None:
        tape.fetched.append(Fetched(output=output, content_type=content_type, bytes=size, sha256=sha256))
