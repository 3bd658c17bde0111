"""Idle workers, who wait for work."""

import asyncio
import json
import socket
import threading
import time

import pytest
from django.db import connections

from core.api import hub
from flows import claims
from flows.api import waiting
from flows.models import FlowAttempt, FlowRun
from tests.integration.flows.making import dispatch, step, sync
from tests.integration.live.server import off, run, until

pytestmark = pytest.mark.django_db(transaction=True)

LONG_MS = 25_000


@pytest.fixture(autouse=True)
def _no_pool(monkeypatch):
    """Without the server's pool, every request's thread would leave a connection behind."""
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)


@pytest.fixture
def asked(server, as_staff):
    """A claim that is ready to wait."""

    def ask(session, **more):
        body = {"workerId": "w", "count": 5, "waitMs": LONG_MS, **more}
        return session.post(f"http://127.0.0.1:{server.port}/api/flows/claims", json=body, headers=as_staff)

    return ask


def waiters(server):
    """Who waits for work on the server."""
    here = waiting._by_loop.get(server.loop)
    return len(here._ears) if here else 0


def is_told(server):
    here = waiting._by_loop.get(server.loop)
    return bool(here and here.is_told)


async def runs_of(answer):
    return [claim["runId"] for claim in (await answer.json())["claims"]]


def test_who_waits_is_woken_at_once_by_an_event(server, asked, monkeypatch):
    for where, name in ((waiting, "_LOOK_EVERY_S"), (hub, "LOOK_EVERY_S"), (hub, "CHECK_EVERY_S")):
        monkeypatch.setattr(where, name, 3600)
    sync()

    async def test(session):
        claim = asyncio.create_task(asked(session))
        await until(lambda: is_told(server))
        begun = time.monotonic()
        done = await off(dispatch, at=None)
        async with await claim as answer:
            return list(done.run_ids) == await runs_of(answer), time.monotonic() - begun

    was_given_it, took_s = run(test)

    assert was_given_it
    assert took_s < LONG_MS / 1000 * 0.8  # nobody but the bell looks before the time is over


def test_who_waits_without_redis_finds_the_work_by_looking(server, asked, monkeypatch, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    sync("ci", step(delayMs=1500))

    async def test(session):
        claim = asyncio.create_task(asked(session))
        await until(lambda: waiters(server))
        begun = time.monotonic()
        done = await off(dispatch, at=None)
        async with await claim as answer:
            return list(done.run_ids) == await runs_of(answer), time.monotonic() - begun

    was_given_it, took_s = run(test)

    assert was_given_it
    assert took_s < LONG_MS / 1000 * 0.8


def test_when_the_time_is_over_there_is_nothing(server, asked):
    async def test(session):
        async with asked(session, waitMs=300) as many, asked(session, waitMs=0) as at_once:
            return many.status, await many.json(), await at_once.json()

    assert run(test) == (200, {"claims": []}, {"claims": []})


def test_one_run_by_itself_can_be_waited_for_too(server, as_staff):
    sync()
    dispatch(at=None)
    address, body = f"http://127.0.0.1:{server.port}/api/flows/claims", {"workerId": "w", "waitMs": 200}

    async def test(session):
        async with session.post(address, json=body, headers=as_staff) as one:
            found = await one.json()
        async with session.post(address, json=body, headers=as_staff) as none:
            return one.status, found["attemptNumber"], none.status, await none.read()

    assert run(test) == (200, 1, 204, b"")


def test_who_hangs_up_is_given_nothing(server, as_staff):
    sync()
    body = json.dumps({"workerId": "gone", "waitMs": LONG_MS}).encode()
    head = f"POST /api/flows/claims HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: {as_staff['Authorization']}\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

    async def test(_):
        line = socket.create_connection(("127.0.0.1", server.port))
        line.sendall(head.encode() + body)
        await until(lambda: waiters(server) == 1)
        line.close()
        await until(lambda: waiters(server) == 0)
        await off(dispatch, at=None)

    run(test)

    assert FlowRun.objects.get().attempt_count == 0
    assert not FlowAttempt.objects.exists()


def test_what_is_found_in_the_moment_of_hanging_up_is_given_back(transactional_db):
    sync()
    dispatch(at=None)
    looks, may_go_on = threading.Event(), threading.Event()

    def look():
        looks.set()
        may_go_on.wait(30)
        return claims.claim("gone")

    def give_back(found):
        for lease in found:
            claims.release(lease.attempt_id, lease.token)

    async def test():
        waits = asyncio.create_task(waiting.for_work(look, undo=give_back, wait_ms=LONG_MS))
        await until(looks.is_set)
        waits.cancel()
        may_go_on.set()
        with pytest.raises(asyncio.CancelledError):
            await waits

    asyncio.run(test())

    assert (FlowRun.objects.get().status, FlowAttempt.objects.get().status) == ("queued", "failed")


def test_it_works_where_every_request_is_a_transaction(server, as_staff, asked, monkeypatch):
    monkeypatch.setitem(connections.settings["default"], "ATOMIC_REQUESTS", True)

    async def test(session):
        async with asked(session, waitMs=100) as answer:
            return answer.status

    assert run(test) == 200
