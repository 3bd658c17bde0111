"""GET /api/runs/{runId}/events: the newest snapshot of a run, again whenever it changes, until it is final.

Nothing can be missed, because nothing is incremental: each event is the whole document, its id the run's revision.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.exceptions import APIException

from core.api import sse
from core.api.problems import allow, answers_problems
from core.errors import NotFound, ZapsError
from runs import queries
from runs.api.readers import guest_of_plain
from runs.api.watch import Snapshot, Watchers, off_the_loop, watchers
from runs.states import RUN_FINAL

CHECK_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A caller who may watch a run, and where the run stood when they were let in."""

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
    return sse.stream(_events(request, run_id, admitted, seen))


def _admit(request: HttpRequest, run_id: str) -> Pass:
    caller = guest_of_plain(request)
    run = queries.get_run(run_id, caller)
    return Pass(secrets=queries.sees_secrets(run, caller), revision=run.revision, is_final=run.status in RUN_FINAL)


async def _events(request: HttpRequest, run_id: str, admitted: Pass, seen: int | None) -> AsyncIterator[bytes]:
    here, welcome = watchers(), Welcome(request, run_id)
    yield sse.format_retry()
    with here.watch(run_id, revision=admitted.revision) as bell:
        while True:
            bell.clear()
            snapshot = await _look(here, run_id, secrets=admitted.secrets)
            if snapshot is None:
                return
            if seen is None or snapshot.revision > seen:
                yield sse.format_event(name="snapshot", data=snapshot.data, event_id=snapshot.revision)
                seen = snapshot.revision
            if snapshot.is_final:
                return
            rang = False
            while not rang:
                rang = await _rings(bell)
                if not await welcome.holds():
                    return
                if not rang:
                    yield sse.KEEP_ALIVE


async def _look(here: Watchers, run_id: str, *, secrets: bool) -> Snapshot | None:
    """The newest snapshot, however long the database is away; None when the run is gone."""
    while True:
        try:
            return await here.snapshot(run_id, secrets=secrets)
        except NotFound:
            return None
        except DatabaseError:
            await asyncio.sleep(sse.RETRY_MS / 1000)


async def _rings(bell: asyncio.Event) -> bool:
    """Whether it rang before the connection needs a sign of life."""
    try:
        await asyncio.wait_for(bell.wait(), sse.KEEP_ALIVE_S)
    except TimeoutError:
        return False
    return True


class Welcome:
    """Whether the caller may still watch: asked again once a minute, for a token may be revoked and a session end."""

    def __init__(self, request: HttpRequest, run_id: str) -> None:
        self._request, self._run_id = request, run_id
        self._clock = asyncio.get_running_loop().time
        self._ask_at = self._clock() + CHECK_EVERY_S

    async def holds(self) -> bool:
        """False once the caller has lost the right. A database that is away takes no right away."""
        if self._clock() < self._ask_at:
            return True
        self._ask_at = self._clock() + CHECK_EVERY_S
        try:
            await off_the_loop(lambda: _admit(self._request, self._run_id))
        except (ZapsError, APIException):
            return False
        except DatabaseError:
            return True
        return True
