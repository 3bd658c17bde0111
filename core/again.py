"""Transactions that the server undid for the sake of another: they are made again at once."""

import logging
import random
import time
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from django.db import OperationalError, connection

logger = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

_UNDONE = {"40001": "serialization_failure", "40P01": "deadlock"}  # SQLSTATE
_PAUSES_S = (0.02, 0.1)  # before the second and the third time, half as much to half as much again


def again(function: Callable[P, T]) -> Callable[P, T]:
    """The same, up to three times where the server undoes it. What is raised the last time comes out.

    The function is one transaction, and does nothing else that lasts: all of it happens again. Inside a transaction of
    the caller's it is called once.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        if connection.in_atomic_block:
            return function(*args, **kwargs)
        for pause_s in _PAUSES_S:
            try:
                return function(*args, **kwargs)
            except OperationalError as exc:
                reason = _UNDONE.get(getattr(exc.__cause__, "sqlstate", None) or "")
                if reason is None:
                    raise
                logger.info("transaction=%s undone=%s", function.__name__, reason)
            time.sleep(pause_s * random.uniform(0.5, 1.5))  # noqa: S311 (so that two do not meet again)
        return function(*args, **kwargs)

    return call
