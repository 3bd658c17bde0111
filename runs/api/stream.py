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

from accounts.api.auth import caller_of_plain
from accounts.caller import Scope
from core.api import sse
from core.api.problems import allow, answers_problems
from core.errors import NotFound, ZapsError
from runs import queries
from runs.api.watch import off_the_loop, watchers
from runs.states import RUN_FINAL

CHECK_EVERY_S = 60.0  # a token may be revoked, a session may end


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """A caller who may watch a run, and where the run stood when they were let in."""

    secrets: bool
    revision: int
    is_final: bool


@answers_problems
async def run_events(request: HttpRequest, run_id: str) -> HttpResponseBase:
    """The stream; 204 when the run is final and the caller has its last snapshot, which ends a browser's reconnecting."""
    allow(request, "GET")
    admitted = await off_the_loop(lambda: _admit(request, run_id))
    seen = sse.last_event_id(request)
    if seen is not None and seen > admitted.revision:
        seen = None  # not an id of ours
    if admitted.is_final and seen == admitted.revision:
        return HttpResponse(status=204)
    return sse.stream(_events(request, run_id, admitted, seen))


def _admit(request: HttpRequest, run_id: str) -> Pass:
    caller = caller_of_plain(request)
    if caller.is_known:
        caller.require(Scope.READ)
    run = queries.get_run(run_id, caller)
    return Pass(secrets=queries.sees_secrets(run, caller), revision=run.revision, is_final=run.status in RUN_FINAL)


async def _events(request: HttpRequest, run_id: str, admitted: Pass, seen: int | None) -> AsyncIterator[bytes]:
    yield sse.format_retry()
    here, clock = watchers(), asyncio.get_running_loop().time
    check_at = clock() + CHECK_EVERY_S
    with here.watch(run_id, revision=admitted.revision) as bell:
        bell.set()
        while True:
            if bell.is_set():
                bell.clear()
                try:
                    snapshot = await here.snapshot(run_id, secrets=admitted.secrets)
                except NotFound:
                    return
                except DatabaseError:
                    await asyncio.sleep(sse.RETRY_MS / 1000)
                    bell.set()
                    continue
                if seen is None or snapshot.revision > seen:
                    yield sse.format_event(name="snapshot", data=snapshot.data, event_id=snapshot.revision)
                    seen = snapshot.revision
                if snapshot.is_final:
                    return
            if not await _rings(bell):
                yield sse.KEEP_ALIVE
            if clock() >= check_at:
                if not await _may_stay(request, run_id):
                    return
                check_at = clock() + CHECK_EVERY_S


async def _rings(bell: asyncio.Event) -> bool:
    """Whether it rang before the connection needs a sign of life."""
    try:
        await asyncio.wait_for(bell.wait(), sse.KEEP_ALIVE_S)
    except TimeoutError:
        return False
    return True


async def _may_stay(request: HttpRequest, run_id: str) -> bool:
    try:
        await off_the_loop(lambda: _admit(request, run_id))
    except (ZapsError, APIException):
        return False
    except DatabaseError:
        return True
    return True
