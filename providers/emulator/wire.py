"""HTTP/1.1 for the emulator: small and quick, and able to misbehave in ways that a web framework forbids."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, cast

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 200_000_000
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True, kw_only=True)
class Request:
    """One request that arrived whole. Header names are lower case."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes = b""

    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(slots=True, kw_only=True)
class Answer:
    """What to send back, and how badly.

    `make` is called in a thread for the body. `events` is sent piece by piece as it comes. `delay_s` passes before
    the first byte; `drip_s` between small pieces of the body; `cut_after` bytes of the body the connection breaks;
    `drop` breaks it before any answer.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    make: Callable[[], bytes] | None = None
    events: AsyncIterator[bytes] | None = None
    delay_s: float = 0.0
    drip_s: float = 0.0
    cut_after: int | None = None
    drop: bool = False

    @property
    def is_plain(self) -> bool:
        """Can it be written at once?"""
        return not (self.make or self.events or self.delay_s or self.drip_s or self.drop or self.cut_after is not None)

    def head(self, length: int | None) -> bytes:
        """Status line and headers; chunked where the length is not known."""
        extent = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
        lines = [
            f"HTTP/1.1 {self.status} {_PHRASES.get(self.status, 'Unknown')}",
            "server: zaps-emulator",
            f"content-type: {self.content_type}",
            extent,
        ]
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def reply(document: object, status: int = 200, **headers: str) -> Answer:
    """A JSON answer; `x_fal_retryable="true"` becomes the header x-fal-retryable."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=json.dumps(document, separators=(",", ":")).encode(), headers=named)


class Connection(asyncio.Protocol):
    """One client's connection; answers its requests in order, and is in `among` while it is open."""

    def __init__(self, handle: Callable[[Request], Answer], among: "set[Connection]") -> None:
        self._handle = handle
        self._among = among
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._among.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._among.discard(self)
        self._transport = None
        if self._task is not None:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._work()

    def _work(self) -> None:
        while self._transport is not None and self._task is None:
            try:
                request = take_request(self._buffer)
                answer = self._handle(request) if request else None
            except Exception:  # a client must not wait for an answer that will not come
                logger.exception("emulator=broken")
                self.abort()
                return
            if answer is None:
                return
            if answer.is_plain:
                self._transport.write(answer.head(len(answer.body)) + answer.body)
            else:
                self._task = asyncio.get_running_loop().create_task(self._perform(answer))
                self._task.add_done_callback(self._performed)

    def _performed(self, task: asyncio.Task[None]) -> None:
        self._task = None
        if task.cancelled() or task.exception() is not None:
            self.abort()
        else:
            self._work()

    async def _perform(self, answer: Answer) -> None:
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        if answer.drop:
            self.abort()
        elif answer.events is not None:
            self._write(answer.head(None))
            async for piece in answer.events:
                self._write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            self._write(b"0\r\n\r\n")
        else:
            body = await asyncio.to_thread(answer.make) if answer.make else answer.body
            self._write(answer.head(len(body)))
            await self._send(answer, body)

    async def _send(self, answer: Answer, body: bytes) -> None:
        if answer.drip_s:
            for start in range(0, len(body), 64):
                self._write(body[start : start + 64])
                await asyncio.sleep(answer.drip_s)
            return
        self._write(body if answer.cut_after is None else body[: answer.cut_after])
        if answer.cut_after is not None:
            await asyncio.sleep(0.05)  # let what was sent arrive before the line breaks
            self.abort()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def abort(self) -> None:
        """Break the connection."""
        if self._transport is not None:
            self._transport.abort()


def take_request(buffer: bytearray) -> Request | None:
    """The first whole request of the buffer, removed from it; None while it is not whole."""
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = bytes(buffer[:end]).decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    start = end + 4
    if headers.get("transfer-encoding", "").lower() == "chunked":
        found = _unchunked(buffer, start)
        if found is None:
            return None
        body, stop = found
    else:
        stop = start + min(int(headers.get("content-length", 0)), MAX_BODY_BYTES)
        if len(buffer) < stop:
            return None
        body = bytes(buffer[start:stop])
    del buffer[:stop]
    path, _, query = target.partition("?")
    return Request(method=method, path=path, query=query, headers=headers, body=body)


def _unchunked(buffer: bytearray, start: int) -> tuple[bytes, int] | None:
    parts: list[bytes] = []
    while True:
        line = buffer.find(b"\r\n", start)
        if line < 0:
            return None
        size = int(bytes(buffer[start:line]).split(b";")[0], 16)
        start, stop = line + 2, line + 2 + size
        if len(buffer) < stop + 2:
            return None
        if size == 0:
            return b"".join(parts), stop + 2
        parts.append(bytes(buffer[start:stop]))
        start = stop + 2
