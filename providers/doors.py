"""The two kinds of blocking connection that there are: to public addresses only, or to one that the operator named.

Both know whether they were ever opened, and can be cut from another thread: a time-out of a socket begins anew with
each byte, so that a server which drips would never be done.
"""

import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from requests_hardened.ip_filter import InvalidIPAddress  # type: ignore[import-untyped]
from requests_hardened.ip_filter_adapter import IPFilterAdapter  # type: ignore[import-untyped]

from providers.errors import AddressRefused
from providers.guard import require_public


class Named(HTTPAdapter):
    """Connects to whatever the name resolves to."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.opened = False  #: was a connection, TLS included, ever made? Until then nothing can have been sent.
        self._sockets: weakref.WeakSet[Any] = weakref.WeakSet()

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The pool, whose connections are watched."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if getattr(pool.ConnectionCls, "door", None) is not self:
            pool.ConnectionCls = _watched(pool.ConnectionCls, self)
        return pool

    def note_opened(self, sock: Any) -> None:
        """A connection was made."""
        self.opened = True
        self._sockets.add(sock)

    @contextmanager
    def cut_after(self, seconds: float) -> Iterator[None]:
        """Whoever reads from a connection of this door after that time finds it ended.

        Raises TimeoutError where that was so: to some readers, what was cut looks complete.
        """
        late = threading.Event()
        clock = threading.Timer(max(seconds, 0), self._cut, (late,))
        clock.daemon = True
        clock.start()
        try:
            yield
            if late.is_set():
                raise TimeoutError
        finally:
            clock.cancel()

    def _cut(self, late: threading.Event) -> None:
        late.set()
        for sock in list(self._sockets):
            try:
                sock.shutdown(2)
            except OSError:
                continue


class Public(Named, IPFilterAdapter):  # type: ignore[misc]  # it carries no types
    """Connects over TLS to the very address that was judged; the certificate is still that of the name."""

    def __init__(self) -> None:
        super().__init__(is_https_proto=True)

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:
        """Raises AddressRefused where the name resolves to an address that is not public."""
        try:
            host, pool = super().build_connection_pool_key_attributes(*args, **kwargs)
        except InvalidIPAddress:
            raise AddressRefused from None
        require_public(host["host"].strip("[]"))
        return host, pool


def door(*, is_named: bool) -> Named:
    """A new door: to what the operator named, or to public addresses."""
    return Named(max_retries=0) if is_named else Public()


def session(through: Named) -> requests.Session:
    """A session all of whose connections go through that door. It takes nothing from the environment."""
    made = requests.Session()
    made.trust_env = False  # no proxy, netrc or certificate bundle from the environment
    made.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    made.mount("https://", through)
    made.mount("http://", through)
    return made


def _watched(kind: Any, through: Named) -> Any:
    class Watched(kind):  # type: ignore[misc]  # plain or TLS: only the pool knows
        door = through

        def connect(self) -> None:
            super().connect()
            through.note_opened(self.sock)

    return Watched
