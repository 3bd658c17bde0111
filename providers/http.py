"""Hold an adapter's conversation over a blocking connection: what Celery tasks use.

A call that costs nothing goes through a pooled session of the thread; GET and PUT are tried up to three times within
the call's time. The paid call is one request on a connection of its own, and never a second one.
"""

import threading
import time
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any, TypeVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from providers.contract import Call, Reply, Talk
from providers.errors import ProviderError
from providers.kept import KEPT
from providers.verdict import json_object, lost, require_ok
from providers.wire import encode

T = TypeVar("T")

_PAUSES_S = (0.2, 0.4)  # between the tries of a call that may be repeated
_REPEATABLE = frozenset({"GET", "PUT"})
_PASSING = frozenset({429, 502, 503, 504})
_CHUNK = 65_536
_FAILURES = (requests.RequestException, HTTPError, OSError)
_LOCAL = threading.local()


def hold(talk: Talk[T], *, timeout_s: tuple[float, float] = (5, 30)) -> T:
    """What the conversation comes to. `timeout_s`: to connect, and for a call as a whole, its repetitions included.

    A call that fails is told to the adapter where it stands, as the error of `providers.verdict`; what the adapter
    raises, or lets pass, comes out here.
    """
    try:
        call = next(talk)
        while True:
            try:
                reply = _answer(call, (timeout_s[0], call.timeout_s or timeout_s[1]))
            except ProviderError as exc:
                call = talk.throw(exc)
            else:
                call = talk.send(reply)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        talk.close()


def _answer(call: Call, timeout_s: tuple[float, float]) -> Reply:
    if call.cache_s:
        return KEPT.get(call, lambda: _patiently(call, timeout_s))
    return _once(call, timeout_s) if call.paid else _patiently(call, timeout_s)


def post_json(url: str, *, headers: Mapping[str, str], timeout_s: float) -> dict[str, Any]:
    """POST nothing to one of our own addresses, once, and read the JSON object that it answers.

    Raises KeyRefused, Rejected or Unavailable.
    """
    call = Call(method="POST", url=url, headers=headers, body=b"")
    reply = _patiently(call, (5, timeout_s))
    require_ok(reply)
    return json_object(reply)


class _Watched(HTTPAdapter):
    """Knows whether a connection (TLS included) was ever opened: until then nothing can have been sent."""

    opened = False

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        adapter = self

        class Connection(pool.ConnectionCls):  # type: ignore[misc]  # plain or TLS: only the pool knows
            def connect(self) -> None:
                super().connect()
                adapter.opened = True

        pool.ConnectionCls = Connection
        return pool


def _once(call: Call, timeout_s: tuple[float, float]) -> Reply:
    adapter = _Watched(max_retries=0)
    with _session(adapter) as session:
        try:
            return _exchange(session, call, timeout_s, ends=time.monotonic() + sum(timeout_s))
        except _FAILURES:
            raise lost(call, opened=adapter.opened) from None


def _patiently(call: Call, timeout_s: tuple[float, float]) -> Reply:
    """Repeats what may be repeated. A Retry-After is left to the caller, who has a schedule for it."""
    ends = time.monotonic() + timeout_s[1]
    pauses = iter(_PAUSES_S if call.method in _REPEATABLE else ())
    while True:
        try:
            reply = _exchange(_pooled(), call, timeout_s, ends=ends)
        except _FAILURES:
            reply = None
        if reply is not None and (reply.status not in _PASSING or "retry-after" in reply.headers):
            return reply
        pause = next(pauses, None)
        if pause is None or time.monotonic() + pause >= ends:
            if reply is None:
                raise lost(call, opened=True)
            return reply
        time.sleep(pause)


def _exchange(session: requests.Session, call: Call, timeout_s: tuple[float, float], *, ends: float) -> Reply:
    body, headers = encode(call)
    left = max(ends - time.monotonic(), 0.1)
    with session.request(
        call.method,
        call.url,
        data=body,
        headers=headers,
        timeout=(min(timeout_s[0], left), min(timeout_s[1], left)),
        allow_redirects=False,
        stream=True,
    ) as response:
        content = _bounded(response, ends, call.most_bytes)
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Reply(status=response.status_code, headers=lower, body=content)


def _bounded(response: requests.Response, ends: float, most_bytes: int) -> bytes:
    parts, size = [], 0
    while chunk := response.raw.read1(_CHUNK, decode_content=True):
        parts.append(chunk)
        size += len(chunk)
        if size > most_bytes:
            raise requests.RequestException("The answer is too long.")
        if time.monotonic() > ends:
            raise requests.Timeout("The answer takes too long.")
    return b"".join(parts)


def _pooled() -> requests.Session:
    session: requests.Session | None = getattr(_LOCAL, "session", None)
    if session is None:
        session = _LOCAL.session = _session(HTTPAdapter(max_retries=0))
    return session


def _session(adapter: HTTPAdapter) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no proxy, netrc or certificate bundle from the environment
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session
