"""A vendor's true answers with something in them broken, and a conversation that is given them."""

import copy
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from providers import guard
from providers.contract import Call, Reply, Talk
from providers.errors import ProviderError
from providers.verdict import lost
from providers.wire import is_bare

SAID = "said-by-the-vendor"  # its own words: must never come out
_MOST_CALLS = 60
_DEEP = '{"a":' * 2000 + "1" + "}" * 2000
_VALUES: list[Any] = [
    *(None, True, False, 0, 1, -1, 2**31, 2**63, 10**400, -(2**70), 0.5, -0.0, float("nan"), float("inf"), 1e300),
    *("", " ", "0", "-1", "NaN", "1e999", "x" * 5000, "a\x00b", "\ud800", "a\nb", "é", "..", "../../x", SAID),
    *("https://evil.example/x", "http://127.0.0.1:9/x", "//evil.example", "data:,x", "file:///etc/passwd", "https://["),
    *("succeeded", "success", "COMPLETED", "failed", "processing", "queued", "canceled", "error"),
    *([], {}, [None], [[]], [{}], {"": None}, {"url": 5}, {"message": SAID, "code": SAID}, [{"url": SAID}]),
]
_NOTHING = object()
_BODIES = [b"", b"null", b"[]", b"{}", b"\x00", b"\xff\xfe", b"<html>", _DEEP.encode(), b'{"a":1', SAID.encode()]
_STATUSES = [200, 201, 202, 204, 301, 400, 401, 402, 403, 404, 405, 408, 409, 410, 422, 425, 429, 499, 500, 502, 503]
_HEADERS = ["", "-1", "NaN", "inf", "1e999", "soon", "Mon, 99 Foo 0000 00:00:00", "Sun, 06 Nov 9999 08:49:37 GMT", SAID]


@dataclass
class Played:
    """What was asked, and what it came to: a value, or an error."""

    value: Any = None
    error: BaseException | None = None
    calls: list[Call] = field(default_factory=list)
    bought: bool = False  # the paid call was answered with a success


def record(talk: Talk[Any], replies: list[Reply]) -> Talk[Any]:
    """The same conversation, whose replies are written down."""
    try:
        call = next(talk)
        while True:
            reply = yield call
            replies.append(reply)
            call = talk.send(reply)
    except StopIteration as stop:
        return stop.value


def play(talk: Talk[Any], replies: Iterable[Reply | None]) -> Played:
    """Hold it as a transport does: the guard is asked, and None is an answer that never came; so is the end."""
    played, left = Played(), iter(replies)
    try:
        call = next(talk)
        while len(played.calls) < _MOST_CALLS:
            played.calls.append(call)
            try:
                guard.admit(call.url, call.home, headers=call.headers, is_get=is_bare(call))
                reply = next(left, None)
                if reply is None:
                    raise lost(call, opened=True)
            except ProviderError as exc:
                call = talk.throw(exc)
            else:
                played.bought |= call.paid and 200 <= reply.status < 300
                call = talk.send(reply)
    except StopIteration as stop:
        played.value = stop.value
    except BaseException as exc:
        played.error = exc
    finally:
        talk.close()
    return played


@st.composite
def mutants(draw: Any, replies: list[Reply]) -> list[Reply | None]:
    """The replies: one or two of them broken, or one lost, repeated or left out."""
    at, broken = draw(st.integers(0, len(replies) - 1)), list(replies)
    how = draw(st.sampled_from(["broken", "broken", "broken", "broken", "lost", "again", "without"]))
    if how != "broken":
        return [*broken[:at], *{"lost": [None], "again": [broken[at]] * 2, "without": []}[how], *broken[at + 1 :]]
    broken[at] = draw(_broken(broken[at]))
    other = draw(st.integers(0, len(replies) - 1))
    broken[other] = draw(_broken(broken[other]) | st.just(broken[other]))
    return broken


@st.composite
def _broken(draw: Any, reply: Reply) -> Reply:
    match draw(st.sampled_from(["document", "document", "document", "body", "status", "header"])):
        case "document":
            return replace(reply, body=draw(_documents(reply.body)))
        case "body":
            return replace(reply, body=draw(st.sampled_from(_BODIES) | st.binary(max_size=30)))
        case "status":
            return replace(reply, status=draw(st.sampled_from(_STATUSES)))
    name = draw(st.sampled_from([*reply.headers, "retry-after"]))
    headers = {**reply.headers, name: draw(st.sampled_from(_HEADERS) | st.text(max_size=20))}
    return replace(reply, headers=headers, status=draw(st.sampled_from([reply.status, 429, 503])))


def each_place(replies: list[Reply]) -> Iterator[list[Reply]]:
    """The replies with every odd value, and none, in turn at each place of each of their JSON documents."""
    for at, reply in enumerate(replies):
        try:
            document = json.loads(reply.body)
        except ValueError:
            continue
        for place in [(), *_places(document)]:
            for value in [*_VALUES, _NOTHING]:
                broken = replace(reply, body=_with(document, place, value))
                yield [*replies[:at], broken, *replies[at + 1 :]]


@st.composite
def _documents(draw: Any, body: bytes) -> bytes:
    """The JSON document with another value, or none, somewhere in it; other bytes with a piece cut out."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        start = draw(st.integers(0, max(len(body) - 1, 0)))
        return body[:start] + body[start + draw(st.integers(1, 20)) :]
    return _with(document, draw(st.sampled_from([(), *_places(document)])), draw(st.sampled_from([*_VALUES, _NOTHING])))


def _with(document: Any, place: tuple[Any, ...], value: Any) -> bytes:
    if not place:
        return b"" if value is _NOTHING else json.dumps(value).encode()
    document = inside = copy.deepcopy(document)
    for step in place[:-1]:
        inside = inside[step]
    if value is _NOTHING:
        del inside[place[-1]]
    else:
        inside[place[-1]] = value
    return json.dumps(document).encode()


def _places(document: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    found = []
    for name, value in inner:
        found += [(*above, name), *_places(value, (*above, name))]
    return found
