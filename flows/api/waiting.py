"""Answers that may take a while. The database connection is given back while nothing is asked of it."""

import time
from collections.abc import Callable
from typing import TypeVar

from django.db import connection

T = TypeVar("T")

_EVERY_S = 0.25


def until(look: Callable[[], T], *, wait_ms: int) -> T:
    """The first answer that is true, or the last one when the time is over."""
    ends_at = time.monotonic() + wait_ms / 1000
    while not (found := look()) and (left := ends_at - time.monotonic()) > 0:
        if not connection.in_atomic_block:
            connection.close()
        time.sleep(min(_EVERY_S, left))
    return found
