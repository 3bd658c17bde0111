"""Hold an adapter's conversation over a blocking connection: what Celery tasks use.

Where a call may lead is for `providers.guard` to say, before anything is connected. A call that costs nothing goes
through a pooled session of the thread; GET and PUT are tried up to three times within the call's time. The paid call is
one request on a connection of its own, and never a second one.
"""

import math
import threading
import time
from collections.abc import Mapping
from typing import Any, TypeVar

import requests
from urllib3.exceptions import HTTPError

from providers import doors, guard
from providers.bounded import Body, Unbounded
from providers.contract import Call, Reply, Talk
from providers.errors import NotSent, ProviderError
from providers.home import Home
from providers.kept import KEPT
from providers.transcript import tape
from providers.verdict import json_object, lost, require_ok
from providers.wire import encode, is_bare

T = TypeVar("T")

_PAUSES_S = (0.2, 0.4)  # between the tries of a call that may be repeated
_REPEATABLE = frozenset({"GET", "PUT"})
_PASSING = frozenset({429, 502, 503, 504})
_CHUNK = 65_536
_FAILURES = (requests.RequestException, HTTPError, OSError, Unbounded)
_LOCAL = threading.local()


def hold(talk: Talk[T], *, timeout_s: tuple[float, float] = (5, 30), pays_until: float = math.inf) -> T:
    """What the conversation comes to. `timeout_s`: to connect, and for a call as a whole, its repetitions included.

    `pays_until`, by `time.monotonic()`, is when a paid call is not begun any more: it counts as not sent.

    A call that fails is told to the adapter where it stands, as the error of `providers.verdict`; what the adapter
    raises, or lets pass, comes out here. One that may not be made is AddressRefused.
    """
    talk = tape.overheard(talk)
    try:
        call = next(talk)
        while True:
            try:
                if call.paid and time.monotonic() > pays_until:
                    raise NotSent("It took too long until the request could be sent.")
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
    is_named = guard.admit(call.url, call.home, headers=call.headers, is_get=is_bare(call))
    if call.cache_s:
        return KEPT.get(call, lambda: _patiently(call, timeout_s, is_named=is_named))
    if call.paid:
        return _once(call, timeout_s, is_named=is_named)
    return _patiently(call, timeout_s, is_named=is_named)


def post_json(url: str, *, headers: Mapping[str, str], timeout_s: float) -> dict[str, Any]:
    """POST nothing to one of our own addresses, once, and read the JSON object that it answers.

    Raises KeyRefused, Rejected or Unavailable.
    """
    reply = _answer(
        Call(method="POST", url=url, headers=headers, body=b"", home=Home.named_by_operator(url)), (5, timeout_s)
    )
    require_ok(reply)
    return json_object(reply)


def _once(call: Call, timeout_s: tuple[float, float], *, is_named: bool) -> Reply:
    door = doors.door(is_named=is_named)
    with doors.session(door) as session:
        try:
            return _exchange(session, door, call, timeout_s, ends=time.monotonic() + sum(timeout_s))
        except _FAILURES:
            raise lost(call, opened=door.opened) from None


def _patiently(call: Call, timeout_s: tuple[float, float], *, is_named: bool) -> Reply:
    """Repeats what may be repeated. A Retry-After is left to the caller, who has a schedule for it."""
    ends = time.monotonic() + timeout_s[1]
    pauses = iter(_PAUSES_S if call.method in _REPEATABLE else ())
    session, door = _pooled(is_named=is_named)
    while True:
        try:
            reply = _exchange(session, door, call, timeout_s, ends=ends)
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


def _exchange(
    session: requests.Session, door: doors.Named, call: Call, timeout_s: tuple[float, float], *, ends: float
) -> Reply:
    body, headers = encode(call)
    left = max(ends - time.monotonic(), 0.1)
    with (
        door.cut_after(left),
        session.request(
            call.method,
            call.url,
            data=body,
            headers=headers,
            timeout=(min(timeout_s[0], left), min(timeout_s[1], left)),
            allow_redirects=False,
            stream=True,
        ) as response,
    ):
        content = _bounded(response, ends, call.most_bytes)
        lower = {name.lower(): value for name, value in response.headers.items()}
        return Reply(status=response.status_code, headers=lower, body=content)


def _bounded(response: requests.Response, ends: float, most_bytes: int) -> bytes:
    body = Body(encoding=response.headers.get("content-encoding", ""), most_bytes=most_bytes)
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        body.take(chunk)
        if time.monotonic() > ends:
            raise requests.Timeout("The answer takes too long.")
    return body.whole()


def _pooled(*, is_named: bool) -> tuple[requests.Session, doors.Named]:
    pools: dict[bool, tuple[requests.Session, doors.Named]] = _LOCAL.__dict__.setdefault("pools", {})
    if is_named not in pools:
        door = doors.door(is_named=is_named)
        pools[is_named] = (doors.session(door), door)
    return pools[is_named]
