"""Answers that may take a while. No connection of the database is held while nothing is asked of it."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import TypeVar
from weakref import WeakKeyDictionary

from django.db import connection

from core.api.hub import Hub, off_the_loop
from core.api.sse import give_thread_back
from core.notices import Notice
from flows import news

T = TypeVar("T")

_EVERY_S = 0.25
_LOOK_EVERY_S = 1.0  # for what has become due, of which nobody tells
_by_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


def until(look: Callable[[], T], *, wait_ms: int) -> T:
    """The first answer that is true, or the last one when the time is over."""
    ends_at = time.monotonic() + wait_ms / 1000
    while not (found := look()) and (left := ends_at - time.monotonic()) > 0:
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(min(_EVERY_S, left))
    return found


async def for_work(look: Callable[[], list[T]], *, undo: Callable[[list[T]], None], wait_ms: int) -> list[T]:
    """What `look` finds, as soon as it finds anything; [] when the time is over. Both are called in a thread.

    For a caller who hangs up nothing more is looked for, and what was found in that very moment is undone.
    """
    clock = asyncio.get_running_loop().time
    ends_at = clock() + wait_ms / 1000
    bell = _Bell()
    give_thread_back()
    with _hub().listen(bell):
        while True:
            bell.rang.clear()
            found = await _whole(look, undo)
            left = ends_at - clock()
            if found or left <= 0:
                return found
            await bell.rings(within_s=min(_LOOK_EVERY_S, left))


async def _whole(look: Callable[[], list[T]], undo: Callable[[list[T]], None]) -> list[T]:
    looking = asyncio.ensure_future(off_the_loop(look))
    try:
        return await asyncio.shield(looking)
    except asyncio.CancelledError:
        if found := await looking:
            await off_the_loop(lambda: undo(found))
        raise


class _Bell:
    """Rings when there may be work, and when the hub looks: it may have been deaf."""

    def __init__(self) -> None:
        self.rang = asyncio.Event()

    def hear(self, notice: Notice) -> None:
        """Somebody has told of work."""
        self.rang.set()

    def look(self) -> Iterable[Notice]:
        """Whoever waits must look by themselves."""
        return [news.WORK]

    async def rings(self, *, within_s: float) -> None:
        """Until it rings, or the time is over."""
        try:
            async with asyncio.timeout(within_s):
                await self.rang.wait()
        except TimeoutError:
            pass


def _hub() -> Hub:
    """That of the running event loop."""
    return _by_loop.setdefault(asyncio.get_running_loop(), Hub(news.WORK_CHANNEL, lambda _keys: ()))
