"""How many webhooks were refused, hour by hour. A hint in the cache, which may be lost: anybody can send rubbish, and
rubbish is given no row.
"""

import logging
import time

from django.core.cache import cache

logger = logging.getLogger(__name__)

_KEPT_S = 26 * 3600
_HOUR_S = 3600


def note() -> None:
    """One more was refused."""
    key = _key(_hour())
    try:
        cache.add(key, 0, _KEPT_S)
        cache.incr(key)
    except Exception as exc:  # every back end has its own errors; whoever knocks must not see them
        logger.info("refusal not counted: %s", type(exc).__name__)


def count(*, hours: int) -> int:
    """How many in this hour and so many before it. Raises what the cache raises."""
    newest = _hour()
    return sum(cache.get_many([_key(newest - back) for back in range(hours + 1)]).values())


def _hour() -> int:
    return int(time.time()) // _HOUR_S


def _key(hour: int) -> str:
    return f"webhooks-refused:{hour}"
