"""Where a conversation is at home: the only places that are ever told a key.

Every call that an adapter yields is marked with the adapter's home, whoever holds the conversation. So a transport can
refuse what leads elsewhere, and needs to know no adapter.
"""

import functools
import logging
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from core.errors import ZapsError
from providers.errors import Rejected

logger = logging.getLogger(__name__)

_PORTS = {"https": 443, "http": 80}
_TALKS = ("submit", "poll", "recover", "read_webhook", "check_key", "ask_prices", "cancel")


@dataclass(frozen=True, slots=True)
class Home:
    """Origins, as `origin_of` writes them, and hosts. Empty: at home nowhere, so that nothing secret may be sent.

    `named` are origins that the operator wrote into the settings, whose addresses may be private and without TLS;
    `vendor` those that the vendor is known by. `hosts` are further hosts of the vendor: exact, or ".suffix".
    """

    named: frozenset[str] = frozenset()
    vendor: frozenset[str] = frozenset()
    hosts: tuple[str, ...] = ()

    @classmethod
    def named_by_operator(cls, *urls: str) -> "Home":
        """The home of addresses that an operator wrote into the settings. What is no address is nobody's home."""
        return cls(named=frozenset[str]().union(*map(_origins, urls)))

    def and_at(self, url: str, *, is_named: bool) -> "Home":
        """The same, and at home at another address too, if it is one."""
        if is_named:
            return replace(self, named=self.named | _origins(url))
        return replace(self, vendor=self.vendor | _origins(url))


def origin_of(url: str) -> str:
    """Scheme, host and port, in one spelling: `https://host:443`. Raises ValueError for what has none."""
    parts = urlsplit(url)
    port = _PORTS.get(parts.scheme) if parts.port is None else parts.port
    if not parts.hostname or not port:
        raise ValueError("This is no address.")
    return f"{parts.scheme}://{parts.hostname}:{port}"


def _origins(url: str) -> frozenset[str]:
    try:
        return frozenset({origin_of(url)})
    except ValueError:
        return frozenset()


def mark_talks(kind: type[Any]) -> None:
    """From now on, the calls of the conversations that `kind` itself defines are marked with its `home`."""
    for name in _TALKS:
        if name in vars(kind):
            setattr(kind, name, _marked(vars(kind)[name], buys=name == "submit"))


def _marked(talk: Callable[..., Generator[Any, Any, Any]], *, buys: bool) -> Callable[..., Generator[Any, Any, Any]]:
    @functools.wraps(talk)
    def marked(self: Any, *args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
        return _mark(talk(self, *args, **kwargs), self.home, buys=buys)

    return marked


def _mark(talk: Generator[Any, Any, Any], home: Home, *, buys: bool) -> Generator[Any, Any, Any]:
    """`buys`: what breaks before the paid call was let out is Rejected, since then it is certain that no job exists."""
    bought = False
    try:
        call = next(talk)
        while True:
            bought = bought or call.paid
            try:
                reply = yield replace(call, home=home)
            except Exception as exc:  # what went wrong with the call is the adapter's to judge
                call = talk.throw(exc)
            else:
                call = talk.send(reply)
    except StopIteration as stop:
        return stop.value
    except ZapsError:
        raise
    except Exception:
        if bought or not buys:
            raise
        logger.exception("submit=broken-before-it-was-paid")
        raise Rejected("The adapter broke, and nothing was sent.", reason="SUBMISSION_PRECONDITION_FAILED") from None
    finally:
        talk.close()
