"""GET runs/{runId}/stream: a run's output as it is written, until the run has ended.

An event's id is the place of its last piece, so who comes back with it misses nothing and is sent nothing twice.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from django.db.transaction import non_atomic_requests
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.utils.encoders import JSONEncoder

from core.api import sse
from core.api.hub import Hub, off_the_loop
from core.api.problems import allow, answers_problems
from core.api.sse import Sight
from flows import news, queries
from flows.api import documents
from flows.api.policy import policy
from flows.models import FlowRun
from flows.queries import Place
from flows.states import FINAL

_AT_ONCE = 500

_encoder = JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_by_loop: "WeakKeyDictionary[asyncio.AbstractEventLoop, Hub]" = WeakKeyDictionary()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """What stands behind a place: the last place of it, and the event that shows it, b"" where there is nothing."""

    place: int
    event: bytes
    is_full: bool
    status: str

    @property
    def is_last(self) -> bool:
        """Whether nothing comes after it."""
        return self.status in FINAL and not self.is_full


@non_atomic_requests
@answers_problems
async def run_stream(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """The stream, from its beginning, or behind `Last-Event-ID`; 204 when the run has ended and the caller has all."""
    allow(request, "GET")
    run = await off_the_loop(lambda: _admit(request, run_id))
    seen = sse.last_event_id(request) or 0
    if seen and run.status in FINAL and not (await off_the_loop(lambda: _read(run, seen))).event:
        return HttpResponse(status=204)
    seat = ExitStack()
    seat.enter_context(await off_the_loop(lambda: policy().watching(request)))
    return sse.stream(_events(request, run, seen, seat))


def _admit(request: HttpRequest, run_id: str) -> FlowRun:
    policy().may_read(request)
    return queries.get_run(run_id)


async def _events(
    request: HttpRequest, run: FlowRun, seen: int, seat: AbstractContextManager[object]
) -> AsyncIterator[bytes]:
    place = seen

    async def admit() -> FlowRun:
        return await off_the_loop(lambda: _admit(request, run.run_id))

    with seat, _hub().watch(run.pk, number=seen) as bell:

        async def look() -> Sight:
            nonlocal place
            here = place
            found = await off_the_loop(lambda: _read(run, here))
            place = found.place
            if found.is_full:
                bell.set()
            return Sight(found.event + (_end(found) if found.is_last else b""), is_last=found.is_last)

        async for part in sse.follow(bell, look, admit=admit):
            yield part


def _read(run: FlowRun, here: int) -> Pieces:
    # The status first: a run that has ended writes nothing more, so what is read after it is all that there is.
    status = FlowRun.objects.values_list("status", flat=True).get(pk=run.pk)
    attempt, seq = news.place(here)
    pieces = queries.output_after(run, Place(attempt=attempt, seq=seq), limit=_AT_ONCE)
    if not pieces:
        return Pieces(place=here, event=b"", is_full=False, status=status)
    last = news.mark(pieces[-1].attempt.number, pieces[-1].seq)
    data = _encoder.encode({"output": [documents.output_document(piece) for piece in pieces]})
    event = sse.format_event(name="output", data=data, event_id=last)
    return Pieces(place=last, event=event, is_full=queries.may_go_on(pieces, limit=_AT_ONCE), status=status)


def _end(found: Pieces) -> bytes:
    return sse.format_event(name="end", data=_encoder.encode({"status": found.status}), event_id=found.place)


def _hub() -> Hub:
    """That of the running event loop."""
    return _by_loop.setdefault(asyncio.get_running_loop(), Hub(news.CHANNEL, news.newest))
