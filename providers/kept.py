"""Answers that a process keeps for a while: a vendor's public keys, an account's secret for webhooks."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from providers.contract import Call, Reply
from providers.errors import ProviderError, Unavailable
from providers.wire import encode

T = TypeVar("T")

AGAIN_S = 5.0  # who did not answer, or answered with an error, is left alone for so long
_AT_MOST = 512


class Kept:
    """Good answers, by everything that was asked with them, so that two keys never share one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = [threading.Lock() for _ in range(16)]
        self._good: OrderedDict[bytes, tuple[float, Reply]] = OrderedDict()
        self._failed: OrderedDict[bytes, float] = OrderedDict()

    def get(self, call: Call, ask: Callable[[], Reply]) -> Reply:
        """The kept answer if it is young enough, else a new one; of many callers at once, one asks."""
        name = _name(call)
        with self._turns[name[0] % len(self._turns)]:
            found = self.find(call)
            if found is not None:
                return found
            try:
                return self.keep(call, ask())
            except ProviderError:
                self._note_failure(name)
                raise

    def find(self, call: Call) -> Reply | None:
        """The answer that is not older than `call.cache_s`. Raises Unavailable while it is no use to ask for one."""
        name, now = _name(call), time.monotonic()
        with self._lock:
            kept_at, reply = self._good.get(name, (0.0, None))
            failed_at = self._failed.get(name, now - AGAIN_S)
        if reply is not None and now - kept_at <= call.cache_s:
            return reply
        if now - failed_at < AGAIN_S:
            raise Unavailable("The provider did not answer a moment ago.")
        return None

    def keep(self, call: Call, reply: Reply) -> Reply:
        """Keep it, if it is a success. Returns it."""
        name = _name(call)
        if not 200 <= reply.status < 300:
            self._note_failure(name)
            return reply
        with self._lock:
            _put(self._good, name, (time.monotonic(), reply))
        return reply

    def forget(self) -> None:
        """Ask anew from now on."""
        with self._lock:
            self._good.clear()
            self._failed.clear()

    def _note_failure(self, name: bytes) -> None:
        with self._lock:
            _put(self._failed, name, time.monotonic())


def _put(entries: OrderedDict[bytes, T], name: bytes, value: T) -> None:
    entries[name] = value
    entries.move_to_end(name)
    if len(entries) > _AT_MOST:
        entries.popitem(last=False)


def _name(call: Call) -> bytes:
    body, headers = encode(call)
    return hashlib.sha256(repr((call.method, call.url, sorted(headers.items()), body)).encode()).digest()


KEPT = Kept()
