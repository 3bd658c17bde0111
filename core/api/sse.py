"""Server-sent events: how one is written, where a reconnecting browser stood, and a whole stream.

A stream waits for a bell, looks, sends what it saw, and waits again. It keeps nothing: whoever reads slowly is sent
the newest state when they are ready for it, and is hung up on when they are not (config/patience.py).
"""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from asgiref.sync import SyncToAsync
from django.db import DatabaseError
from django.http import HttpRequest, StreamingHttpResponse
from rest_framework.exceptions import APIException

from core.errors import NotFound, ZapsError

KEEP_ALIVE = b": still here\n\n"
KEEP_ALIVE_S = 15.0
CHECK_EVERY_S = 60.0  # whether the reader may still read
RETRY_MS = 2000  # how long a browser waits before it comes back


def format_event(*, name: str, data: str, event_id: int) -> bytes:
    """One event. `data` may have several lines; each needs its own field."""
    lines = "".join(f"data: {line}\n" for line in data.splitlines() or [""])
    return f"id: {event_id}\nevent: {name}\n{lines}\n".encode()


def format_retry() -> bytes:
    """The first line of every stream. Not all browsers come back in the same moment."""
    return f"retry: {RETRY_MS + random.randrange(RETRY_MS // 2)}\n\n".encode()  # noqa: S311


def last_event_id(request: HttpRequest) -> int | None:
    """The newest event that the caller has; None when it has none, or shows one that is not ours."""
    text = request.headers.get("Last-Event-ID", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def stream(events: AsyncIterator[bytes]) -> StreamingHttpResponse:
    """An answer that stays open. Proxies are told not to collect it."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingHttpResponse(events, content_type="text/event-stream; charset=utf-8", headers=headers)


@dataclass(frozen=True, slots=True)
class Sight:
    """What a look brought: bytes to send, b"" when there is nothing new; and whether nothing will come after it."""

    data: bytes = b""
    is_last: bool = False


async def follow(
    bell: asyncio.Event, look: Callable[[], Awaitable[Sight]], *, admit: Callable[[], Awaitable[object]]
) -> AsyncIterator[bytes]:
    """A stream: a look now and whenever the bell rings, and a sign of life in between.

    `admit` is asked once a minute and raises when the reader has lost the right, which ends the stream; so does
    NotFound from `look`. While the database is away the stream stays.
    """
    welcome = _Welcome(admit)
    give_thread_back()
    yield format_retry()
    while True:
        bell.clear()
        sight = await _see(look)
        if sight.data:
            yield sight.data
        if sight.is_last:
            return
        rang = False
        while not rang:
            rang = await _rings(bell)
            if not await welcome.holds():
                return
            if not rang:
                yield KEEP_ALIVE


def give_thread_back() -> None:
    """Django keeps a thread for each request until it ends. A stream needs none, and there may be a thousand."""
    request = SyncToAsync.thread_sensitive_context.get(None)
    executor = SyncToAsync.context_to_thread_executor.pop(request, None) if request is not None else None
    if executor is not None:
        executor.shutdown(wait=False)


async def _see(look: Callable[[], Awaitable[Sight]]) -> Sight:
    while True:
        try:
            return await look()
        except NotFound:
            return Sight(is_last=True)
        except DatabaseError:
            await asyncio.sleep(RETRY_MS / 1000)


async def _rings(bell: asyncio.Event) -> bool:
    """Whether it rang before the connection needs a sign of life."""
    try:
        async with asyncio.timeout(KEEP_ALIVE_S):
            await bell.wait()
    except TimeoutError:
        return False
    return True


class _Welcome:
    """Whether the reader may still read: a token may be revoked and a session end."""

    def __init__(self, admit: Callable[[], Awaitable[object]]) -> None:
        self._admit = admit
        self._clock = asyncio.get_running_loop().time
        self._plan()

    async def holds(self) -> bool:
        """False once the reader has lost the right. A database that is away takes no right away."""
        if self._clock() < self._ask_at:
            return True
        self._plan()
        try:
            await self._admit()
        except (ZapsError, APIException):
            return False
        except DatabaseError:
            return True
        return True

    def _plan(self) -> None:
        """Readers who came in the same moment are not all asked again in the same moment."""
        self._ask_at = self._clock() + CHECK_EVERY_S * random.uniform(0.6, 1.0)  # noqa: S311
