"""Redis, for what may be lost: asked shortly, and left alone for a while after it did not answer."""

import logging
import time
from functools import cache

import redis
from django.conf import settings

logger = logging.getLogger(__name__)

_TIMEOUT_S = 0.25
_AGAIN_S = 5.0


class Health:
    """Remembers that Redis did not answer, so that nobody else waits for the same time-out.

    `without` says, for the log, what goes on without it.
    """

    def __init__(self, without: str) -> None:
        self._without = without
        self._again_at = 0.0

    def is_worth_asking(self) -> bool:
        """Not for some seconds after a failure."""
        return time.monotonic() >= self._again_at

    def failed(self, exc: Exception) -> None:
        """It did not answer."""
        self._again_at = time.monotonic() + _AGAIN_S
        logger.warning("%s error=%s", self._without, type(exc).__name__)


def is_there() -> bool:
    """Whether this project has a Redis at all: one that has only flows may do without."""
    return bool(getattr(settings, "REDIS_URL", ""))


@cache
def client() -> redis.Redis:
    """One for all threads of the process."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S, protocol=2
    )
