"""GET /api/runs/{runId}/events: the newest snapshot of a run, again whenever it changes, until it is final.

Nothing can be missed, because nothing is incremental: each event is the whole document, its id the run's revision.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from accounts.api.places import Place, take_place
from accounts.api.standing import anew
from accounts.api.throttle import count_call
from accounts.caller import Caller
from core.api import sse
from core.api.hub import off_the_loop
from core.api.problems import allow, answers_problems
from core.api.sse import Sight
from runs import queries
from runs.api.readers import guest_of_plain
from runs.api.watch import hub, newest_snapshot
from runs.states import RUN_FINAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A caller who may watch a run, and where the run stood when they were let in."""

    caller: Caller
    pk: int
    run_id: str
    secrets: bool
    revision: int
    is_final: bool


@answers_problems
async def run_events(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """The stream; 204, which ends a browser's reconnecting, when the caller has the last snapshot of a final run."""
    allow(request, "GET")
    admitted = await off_the_loop(lambda: _admit(request, run_id))
    seen = sse.last_event_id(request)
    if seen is not None and seen > admitted.revision:
        seen = None  # not an id of ours
    if admitted.is_final and seen == admitted.revision:
        return HttpResponse(status=204)
    return sse.stream(_events(request, admitted, seen, take_place(admitted.caller)))


def _admit(request: HttpRequest, run_id: str) -> Pass:
    caller = guest_of_plain(request)
    count_call(caller)
    return _look_up(caller, run_id)


def _look_up(caller: Caller, run_id: str) -> Pass:
    run = queries.get_run(run_id, caller)
    return Pass(
        caller=caller,
        pk=run.pk,
        run_id=run_id,
        secrets=queries.sees_secrets(run, caller),
        revision=run.revision,
        is_final=run.status in RUN_FINAL,
    )


async def _events(request: HttpRequest, admitted: Pass, seen: int | None, place: Place) -> AsyncIterator[bytes]:
    newest = -1 if seen is None else seen

    async def look() -> Sight:
        nonlocal newest
        snapshot = await newest_snapshot(admitted.pk, admitted.run_id, secrets=admitted.secrets)
        is_news = snapshot.number > newest
        newest = max(newest, snapshot.number)
        return Sight(snapshot.event if is_news else b"", is_last=snapshot.is_final)

    async def admit() -> Pass:
        return await off_the_loop(lambda: _look_up(guest_of_plain(anew(request)), admitted.run_id))

    try:
        with hub().watch(admitted.pk, number=admitted.revision) as bell:
            async for part in sse.follow(bell, look, admit=admit):
                yield part
    finally:
        place.leave()
