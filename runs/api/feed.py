"""GET /api/events: the caller's runs in a few words each, whenever one of them changes.

The first event holds what is at work, and what has ended since the event that the caller had last. So nobody misses an
end, however often the connection breaks.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone

from accounts.api.places import Place, take_place
from accounts.api.standing import anew
from accounts.api.throttle import count_call
from accounts.caller import Caller, CallerUnknown
from core.api import sse
from core.api.hub import off_the_loop
from core.api.problems import allow, answers_problems
from core.api.sse import Sight
from core.errors import BadInput, Problem
from runs.api.readers import reader_of_plain
from runs.api.summaries import Reader, Whose, pump, summarize
from runs.queries import open_modes

_REMEMBERED_FOR = timedelta(hours=1)  # whoever was away for longer reads the list
_OVERLAP = timedelta(seconds=10)  # what was written before an event and committed after it


@answers_problems
async def my_events(request: HttpRequest) -> HttpResponseBase:
    """The stream. `?all=true`, for staff: everybody's runs."""
    allow(request, "GET")
    caller, whose = await off_the_loop(lambda: _admit(request))
    return sse.stream(_events(request, whose, _since(request), take_place(caller)))


def _admit(request: HttpRequest) -> tuple[Caller, Whose]:
    caller = reader_of_plain(request)
    count_call(caller)
    return caller, _whose(request, caller)


def _whose(request: HttpRequest, caller: Caller) -> Whose:
    wanted = request.GET.get("all", "false")
    if wanted not in ("true", "false"):
        sentence = "all is true or false."
        raise BadInput(sentence, problems=[Problem(code="PARAMETER_INVALID", message=sentence, path="all")])
    if wanted == "true":
        caller.require_staff()
        return Whose(everybody=True)
    if caller.user is not None:
        return Whose(owner_id=caller.user.pk)
    if not caller.session_id or "mock" not in open_modes():
        raise CallerUnknown
    return Whose(session_id=caller.session_id)


def _since(request: HttpRequest) -> datetime | None:
    """Since when runs may have ended that the caller was not told of; None: it asks for the first time."""
    seen, now = sse.last_event_id(request), timezone.now()
    if seen is None or seen > _id_of(now):
        return None
    return max(datetime.fromtimestamp(seen / 1000, UTC), now - _REMEMBERED_FOR) - _OVERLAP


def _id_of(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


async def _events(request: HttpRequest, whose: Whose, since: datetime | None, place: Place) -> AsyncIterator[bytes]:
    reader, is_first = Reader(whose), True

    async def look() -> Sight:
        nonlocal is_first
        if is_first:
            for summary in await off_the_loop(lambda: summarize(whose.at_work(since))):
                reader.give(summary)
        news = reader.take()
        if not news and not is_first:
            return Sight()
        is_first = False
        data = '{"runs":[' + ",".join(news) + "]}"
        return Sight(sse.format_event(name="runs", data=data, event_id=_id_of(timezone.now())))

    async def admit() -> None:
        if await off_the_loop(lambda: _whose(request, reader_of_plain(anew(request)))) != whose:
            raise CallerUnknown

    try:
        with pump().feed(reader):
            async for part in sse.follow(reader.bell, look, admit=admit):
                yield part
    finally:
        place.leave()
