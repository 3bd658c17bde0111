"""How many streams a caller may have open on one web process."""

from typing import Final
from weakref import WeakSet

from django.conf import settings

from accounts import rates
from accounts.caller import Caller
from core.errors import Refused


class TooManyStreams(Refused):
    """The caller has as many streams open as it may."""

    code = "TOO_MANY_STREAMS"
    title = "This caller has too many streams open."
    status = 429
    retryable = True
    remediation = "Close one, or watch all your runs by GET /api/events."


class Place:
    """One open stream. It is free again when it is left, or when nobody holds it any more."""

    def __init__(self, key: str) -> None:
        self._key = key
        _TAKEN.setdefault(key, WeakSet()).add(self)

    def leave(self) -> None:
        """The stream has ended."""
        places = _TAKEN.get(self._key)
        if places is not None:
            places.discard(self)
            if not places:
                del _TAKEN[self._key]


_TAKEN: Final[dict[str, WeakSet[Place]]] = {}
_RETRY_AFTER_S = 5


def take_place(caller: Caller) -> Place:
    """A place for one more stream; to be called on the event loop. Raises TooManyStreams.

    An account's streams count together, and those of callers whom we do not know by their address.
    """
    key = f"user:{caller.user.pk}" if caller.user is not None else f"from:{rates.place(caller.address)}"
    most = settings.ZAP_STREAMS_PER_CALLER
    if most and len(_TAKEN.get(key, ())) >= most:
        raise TooManyStreams(f"{most} streams are open already.", retryAfterS=_RETRY_AFTER_S)
    return Place(key)


def open_streams() -> int:
    """How many are open on this process, of all callers together."""
    return sum(len(places) for places in list(_TAKEN.values()))
