"""A vendor as a transcript remembers it: each call gets the answer that was recorded for it, in the recorded order.

What a transcript calls `{id-1}` is learned from the call where our adapter chose it, and made up where the vendor did.
Submissions after the first begin the conversation anew, with other ids. Whatever an adapter does otherwise than it did
when the transcript was made stands in `differences`.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from providers import multipart
from providers.emulator.desk import Desk
from providers.emulator.faults import Rule
from providers.emulator.media import like
from providers.emulator.wire import Answer, Request, reply
from providers.transcript.match import Names, differences, fill, matches
from providers.transcript.page import Transcript
from providers.transcript.words import MEDIA_TYPES

_FILES = "/__elsewhere__/"
_HOSTS = "/__host__/"
_TRANSPORT = frozenset(  # what a transport adds by itself, and the other one does not
    {"accept", "accept-encoding", "connection", "content-length", "content-type", "host", "transfer-encoding"}
)


class ReplaySheet:
    """See the module."""

    def __init__(self, transcript: Transcript, desk: Desk) -> None:
        self.origin = ""
        self.differences: list[str] = []
        self._transcript = transcript
        self._desk = desk
        self._takes: list[_Take] = []
        paid = [number for number, call in enumerate(transcript.calls) if call["paid"]]
        self._paid_at = paid[0] if paid else -1

    def aim(self, request: Request) -> tuple[str, str]:
        _, number = self._find(request)
        if number is None:
            return ("media" if self._file(request) is not None else "unknown"), ""
        on = "submit" if self._transcript.calls[number]["paid"] else "status"
        return on, str(self._transcript.asked.get("model", ""))

    def answer(self, on: str, request: Request, rule: Rule | None) -> Answer:
        if "invalid" in request.headers.get("authorization", "").split():
            return reply({"detail": "This key is refused."}, 401)
        take, number = self._find(request)
        if number is None:
            return self._media(request)
        if take is None:
            take = _Take(number=len(self._takes) + 1, origin=self.origin)
            self._takes.append(take)
        call = self._transcript.calls[number]
        said = take.hear(number, call, request)
        self.differences += [f"{request.method} {request.path}: {one}" for one in said]
        if call["paid"]:
            seen = self._desk.journal.submission(str(self._transcript.asked.get("model", "")), request, None)
            seen.request_id = f"take-{take.number}"
        return self._spoken(call, take)

    def missing(self) -> list[str]:
        """The recorded calls that were not made, the like of which was not made either."""
        made = {_likeness(self._transcript.calls[number]) for take in self._takes for number in take.used}
        left = {_likeness(call): call for call in self._transcript.calls if _likeness(call) not in made}
        return [f"{call['method']} {call['path']} is not called any more." for call in left.values()]

    def _find(self, request: Request) -> tuple["_Take | None", int | None]:
        """The recorded call that this one is, and the conversation that it belongs to; None: a new one."""
        for take in reversed(self._takes):
            number = take.next_like(self._transcript.calls, request)
            if number is not None and not (take.is_paid and number <= self._paid_at):
                return take, number
        fresh = _Take(number=0, origin=self.origin)
        return None, fresh.next_like(self._transcript.calls[: self._paid_at + 1], request)

    def _file(self, request: Request) -> Mapping[str, Any] | None:
        """The recorded result that lies at that address."""
        for take in reversed(self._takes):
            for file in self._transcript.files:
                if file["url"] and matches(file["url"].partition("?")[0], take.place(request), take.names.copy()):
                    return file
        return None

    def _media(self, request: Request) -> Answer:
        file = self._file(request)
        if file is None:
            self.differences.append(f"{request.method} {request.path} was not recorded.")
            return reply({"detail": "This was not recorded."}, 404)
        content_type, content = _like(file["content_type"])
        return Answer(body=content, content_type=content_type)

    def _spoken(self, call: Mapping[str, Any], take: "_Take") -> Answer:
        if "answer" not in call:
            return Answer(drop=True)
        said = call["answer"]
        headers = {name: str(fill(value, take.names)) for name, value in said["headers"].items()}
        content_type, body = self._body(said["body"], said["type"] or "application/octet-stream", take.names)
        return Answer(status=said["status"], body=body, content_type=content_type, headers=headers)

    def _body(self, said: Mapping[str, Any], content_type: str, names: Names) -> tuple[str, bytes]:
        """Bytes are other ones of the same type."""
        if "json" in said:
            return content_type, json.dumps(fill(said["json"], names, self._data)).encode()
        if "text" in said:
            return content_type, str(fill(said["text"], names)).encode()
        if "bytes" in said:
            return _like(said["bytes"]["content_type"])
        if "parts" in said:
            return multipart.write([self._part(part, names) for part in said["parts"]])
        return content_type, b""

    def _part(self, said: Mapping[str, Any], names: Names) -> tuple[str, multipart.Part]:
        content_type, body = self._body(said["body"], said["type"], names)
        filename = str(fill(said["filename"], names))
        return said["name"], multipart.Part(content=body, content_type=content_type, filename=filename)

    def _data(self, name: str) -> str:
        """Other bytes of the same type, written in the same way."""
        blob = self._transcript.media[name]
        content_type, content = _like(blob["content_type"])
        text = base64.b64encode(content).decode()
        return f"data:{content_type};base64,{text}" if blob["is_url"] else text


class _Take:
    """One conversation: what its names stand for, and which of the recorded calls were made."""

    def __init__(self, *, number: int, origin: str) -> None:
        self.number = number
        self.names = Names(origin=origin, take=number)
        self.used: list[int] = []
        self.is_paid = False

    def place(self, request: Request) -> str:
        """The path as a transcript writes it."""
        path = unquote(request.path)
        for prefix, kind in ((_FILES, "elsewhere"), (_HOSTS, "host")):
            if path.startswith(prefix):
                number, slash, rest = path.removeprefix(prefix).partition("/")
                return f"{{{kind}-{number.partition('.')[0]}}}{slash}{rest}"
        return f"{{origin}}{path}"

    def next_like(self, calls: tuple[Mapping[str, Any], ...], request: Request) -> int | None:
        """The recorded call with that method and path that fits best: one that was not made yet, if there is one."""
        place, fits = self.place(request), []
        for number, call in enumerate(calls):
            names = self.names.copy()
            if call["method"] == request.method and matches(call["path"], place, names):
                wrong = len(list(_wrong(call, request, names)))
                fits.append((wrong, number in self.used, number if number not in self.used else -number))
        return abs(min(fits)[2]) if fits else None

    def hear(self, number: int, call: Mapping[str, Any], request: Request) -> list[str]:
        """Take the call as made, learn its names, and say in what it differs."""
        matches(call["path"], self.place(request), self.names)
        self.used.append(number)
        self.is_paid = self.is_paid or call["paid"]
        return [*_wrong(call, request, self.names), *_wrong_headers(call, request)]


def _wrong(call: Mapping[str, Any], request: Request, names: Names) -> Iterator[str]:
    yield from differences(call["query"], dict(parse_qsl(request.query)), names, "query")
    said = call["body"]
    if "json" in said:
        yield from differences(said["json"], request.json(), names, "body")
    elif "parts" in said:
        parts = multipart.read_all(request.headers.get("content-type", ""), request.body)
        yield from differences([part["name"] for part in said["parts"]], [name for name, _ in parts], names, "parts")
        for part, (_, sent) in zip(said["parts"], parts, strict=False):
            if "json" in part["body"]:
                inner = Request(method="", path="", query="", headers={}, body=sent.content).json()
                yield from differences(part["body"]["json"], inner, names, f"parts.{part['name']}")
    elif bool(said) != bool(request.body):
        yield "it has a body" if request.body else "it has no body"


def _wrong_headers(call: Mapping[str, Any], request: Request) -> Iterator[str]:
    sent, recorded = set(request.headers) - _TRANSPORT, set(call["headers"]) - _TRANSPORT
    yield from (f"the header {name} is not sent" for name in sorted(recorded - sent))
    yield from (f"the header {name} is new" for name in sorted(sent - recorded))


def _likeness(call: Mapping[str, Any]) -> str:
    return json.dumps([call["method"], call["path"], call["body"]], sort_keys=True)


def _like(content_type: str) -> tuple[str, bytes]:
    """Bytes that may stand for others of that type, which were not kept."""
    return like(content_type) if content_type in MEDIA_TYPES else (content_type, b"{}")
