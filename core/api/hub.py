"""Who in this process waits for which thing to change: one subscription and one look at the database for all of them.

A notice wakes those who wait for its thing; the first of them reads it for the rest. While Redis is away the hub looks
once a second by itself. It looks now and then in any case, since a notice may be lost. Nobody holds a connection of the
database while they wait.
"""

import asyncio
import logging
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol, TypeVar

from django.conf import settings
from django.db import DatabaseError, connections
from redis import RedisError
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core import hints, notices
from core.notices import Notice

logger = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0  # while nobody tells us
CHECK_EVERY_S = 5.0  # while somebody does
_AGAIN_S = 1.0
_QUIET_S = 10.0  # without a word for so long we ask whether anybody is there; twice, and the connection is dead
T = TypeVar("T")

# Apart from the threads that let callers in: when a thousand come at once, the news do not queue behind them.
_READERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="hub")


class Numbered(Protocol):
    """What was read, and at which number."""

    @property
    def number(self) -> int:
        """That of its newest notice, or a later one."""


class Ear(Protocol):
    """Somebody who waits for many things."""

    def hear(self, notice: Notice) -> None:
        """Called on the loop for every notice, some of them twice. It must not wait."""

    def look(self) -> Iterable[Notice]:
        """Its things that may have changed lately, as they stand in the database; called in a thread."""


async def off_the_loop(work: Callable[[], T], *, pool: ThreadPoolExecutor | None = None) -> T:
    """`work` in a thread, whose connections to the database are given back before this returns."""

    def run() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    return await asyncio.get_running_loop().run_in_executor(pool, run)


class Hub:
    """The waiting of one event loop for the things of one channel.

    `newest` reads at which numbers things stand; those that are gone it leaves out.
    """

    def __init__(self, channel: str, newest: Callable[[Collection[int]], Iterable[Notice]]) -> None:
        self._channel, self._newest = channel, newest
        self._bells: dict[int, set[asyncio.Event]] = {}
        self._ears: set[Ear] = set()
        self._numbers: dict[int, int] = {}  # of what is watched
        self._read: dict[tuple[int, Hashable], Numbered] = {}
        self._reading: dict[tuple[int, Hashable], asyncio.Task[Any]] = {}
        self._tasks: list[asyncio.Task[None]] = []
        self._look_now = asyncio.Event()
        self.is_told = False  #: whether the subscription stands

    @contextmanager
    def watch(self, key: int, *, number: int) -> Iterator[asyncio.Event]:
        """A bell that rings when the thing is beyond `number`; clear it before you look."""
        bell = asyncio.Event()
        self._bells.setdefault(key, set()).add(bell)
        self._note(key, number)
        self._begin()
        try:
            yield bell
        finally:
            self._bells[key].discard(bell)
            if not self._bells[key]:
                self._forget(key)
            self._end()

    @contextmanager
    def listen(self, ear: Ear) -> Iterator[None]:
        """Let `ear` hear every notice."""
        self._ears.add(ear)
        self._begin()
        try:
            yield
        finally:
            self._ears.discard(ear)
            self._end()

    async def read(self, key: int, kind: Hashable, reader: Callable[[], Numbered]) -> Any:
        """What `reader` gives, called once for all who ask for that kind while the thing does not change.

        It is called in a thread. What it raises comes out. Only what is watched is kept.
        """
        place = (key, kind)
        known = self._read.get(place)
        for _ in range(2):  # a reading that was under way when the notice came may not have seen what it tells of
            if known is not None and known.number >= self._numbers.get(key, 0):
                break
            reading = self._reading.get(place) or self._start(place, reader)
            known = await asyncio.shield(reading)
        return known

    def _start(self, place: tuple[int, Hashable], reader: Callable[[], Numbered]) -> asyncio.Task[Numbered]:
        async def read() -> Numbered:
            try:
                found = await off_the_loop(reader, pool=_READERS)
                if place[0] in self._bells:
                    self._read[place] = found
                return found
            finally:
                del self._reading[place]

        task = self._reading[place] = asyncio.create_task(read())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())  # those who asked may have left
        return task

    def _hear(self, notice: Notice) -> None:
        for ear in self._ears:
            ear.hear(notice)
        if notice.key in self._bells:
            self._note(notice.key, notice.number)

    def _note(self, key: int, number: int) -> None:
        if number > self._numbers.get(key, -1):
            self._numbers[key] = number
            for bell in self._bells[key]:
                bell.set()

    def _forget(self, key: int) -> None:
        del self._bells[key], self._numbers[key]
        for place in [place for place in self._read if place[0] == key]:
            del self._read[place]

    # --- the two tasks, for as long as anybody waits -------------------------------------------------------------

    def _begin(self) -> None:
        if not self._tasks:
            self._look_now = asyncio.Event()
            self._tasks = [asyncio.create_task(self._keep_looking()), asyncio.create_task(self._keep_listening())]

    def _end(self) -> None:
        if not self._bells and not self._ears:
            for task in self._tasks:
                task.cancel()
            self._tasks = []

    async def _keep_looking(self) -> None:
        while True:
            try:
                async with asyncio.timeout(CHECK_EVERY_S if self.is_told else LOOK_EVERY_S):
                    await self._look_now.wait()
            except TimeoutError:
                pass
            self._look_now.clear()
            keys, ears = list(self._bells), list(self._ears)
            try:
                found = await off_the_loop(lambda keys=keys, ears=ears: self._look(keys, ears), pool=_READERS)  # type: ignore[misc]
            except DatabaseError as exc:
                logger.warning("hub=blind channel=%s error=%s", self._channel, type(exc).__name__)
                await asyncio.sleep(_AGAIN_S)
                continue
            for notice in found:
                self._hear(notice)

    def _look(self, keys: list[int], ears: list[Ear]) -> list[Notice]:
        found = list(self._newest(keys)) if keys else []
        for ear in ears:
            found += ear.look()
        return found

    async def _keep_listening(self) -> None:
        while hints.is_there():
            try:
                await self._listen()
            except (RedisError, OSError) as exc:
                if self.is_told:
                    logger.warning("hub=deaf channel=%s error=%s", self._channel, type(exc).__name__)
            finally:
                self.is_told = False
            self._look_now.set()
            await asyncio.sleep(_AGAIN_S)

    async def _listen(self) -> None:
        """Until the connection breaks: the client must not mend it behind our back, for what it missed must be read."""
        client = Redis.from_url(settings.REDIS_URL, socket_connect_timeout=1, retry=Retry(NoBackoff(), 0), protocol=2)
        async with client, client.pubsub() as said:
            await said.subscribe(self._channel)
            asked = False
            while True:
                message = await said.get_message(timeout=_QUIET_S)
                if message is None:
                    if asked:
                        raise TimeoutError
                    await said.ping()
                asked = message is None
                if message is not None:
                    self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        if message["type"] == "subscribe":
            self.is_told = True
            self._look_now.set()
        elif message["type"] == "message":
            for notice in notices.read(message["data"]):
                self._hear(notice)
