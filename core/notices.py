"""Notices: that a thing has changed and at which number it stands now, and nothing else of it.

They are said after the commit and sent by Redis, where one may be lost at any moment. So they carry no news: whoever
hears one reads the database.
"""

import atexit
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from threading import Event, Lock, Thread

import redis

from core import hints

logger = logging.getLogger(__name__)

_PAUSE_S = 0.02  # between two messages of a process; what changes meanwhile shares the next one
_AGAIN_S = 1.0  # Redis is away
_MOST = 10_000  # things that are kept to be said; readers look by themselves, too
_A_MESSAGE = 500


@dataclass(frozen=True, slots=True)
class Notice:
    """Thing `key`, which belongs to `group` (0: to nobody), is at `number`, which only grows."""

    key: int
    group: int
    number: int


def write(notices: Iterable[Notice]) -> bytes:
    """One message."""
    return " ".join(f"{one.key}.{one.group}.{one.number}" for one in notices).encode()


def read(message: bytes) -> list[Notice]:
    """The notices of a message; what is none is left out."""
    return [Notice(*map(int, parts)) for word in message.split() if _are_numbers(parts := word.split(b"."))]


def _are_numbers(parts: list[bytes]) -> bool:
    return len(parts) == 3 and all(part.isdigit() and len(part) < 20 for part in parts)


class Herald:
    """Says notices on one channel, from a thread of its own: nobody who changes something waits for Redis.

    A thing that changes often is said with its newest number only. While Redis is away they are kept and said later.
    """

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self._news: dict[int, Notice] = {}
        self._lock = Lock()
        self._bell = Event()
        self._is_over = Event()
        self._thread: Thread | None = None
        self._is_heard = True

    def say(self, notices: Iterable[Notice]) -> None:
        """Soon, and to nobody in a project without Redis. Raises nothing and waits for nothing."""
        if not hints.is_there():
            return
        with self._lock:
            for notice in notices:
                known = self._news.get(notice.key)
                if known is None or known.number < notice.number:
                    self._news[notice.key] = notice
            if self._thread is None or not self._thread.is_alive():  # never begun, or left behind by a fork
                self._begin()
        if not self._bell.is_set():
            self._bell.set()

    def _begin(self) -> None:
        if self._thread is None:
            atexit.register(self._end)
        self._thread = Thread(target=self._work, name=f"herald-{self._channel}", daemon=True)
        self._thread.start()

    def _end(self) -> None:
        """The last word of a process that ends at once is heard, too.

        A thread that the interpreter stops in the middle of it keeps Redis's locks, and the end then waits for them.
        """
        self._is_over.set()
        self._bell.set()
        if self._thread is not None:
            self._thread.join()
        self._send()

    def _work(self) -> None:
        while not self._is_over.is_set():
            self._bell.wait()
            self._bell.clear()
            if self._send():
                self._is_over.wait(_PAUSE_S)
            else:
                self._is_over.wait(_AGAIN_S)
                self._bell.set()

    def _send(self) -> bool:
        """Whether all is said that there was to say."""
        with self._lock:
            news, self._news = self._news, {}
        try:
            self._publish(list(news.values()))
        except redis.RedisError as exc:
            self._keep(news)
            if self._is_heard:
                logger.warning("notices=unheard channel=%s error=%s", self._channel, type(exc).__name__)
            self._is_heard = False
            return False
        self._is_heard = True
        return True

    def _publish(self, notices: list[Notice]) -> None:
        if not notices:
            return
        with hints.client().pipeline(transaction=False) as said:
            for place in range(0, len(notices), _A_MESSAGE):
                said.publish(self._channel, write(notices[place : place + _A_MESSAGE]))
            said.execute()

    def _keep(self, news: dict[int, Notice]) -> None:
        with self._lock:
            self._news = {**news, **self._news} if len(news) < _MOST else {}
