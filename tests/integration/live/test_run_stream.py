import asyncio
import socket
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.api import places
from accounts.models import ApiToken
from config import patience
from core.api import hub as hubs
from core.api import sse
from runs.api import watch
from runs.models import Run
from tests.integration.live.server import Reader, change, finish, off, run, until
from tests.processes import wait_until
from tests.servers import SERVERS

pytestmark = pytest.mark.django_db(transaction=True)


def path(run):
    return f"/api/runs/{run.run_id}/events"


def read_to_the_end(connection):
    """How many bytes there were; a connection that is cut ends, too."""
    connection.settimeout(10)
    taken = 0
    try:
        while part := connection.recv(65536):
            taken += len(part)
    except ConnectionResetError:
        pass
    return taken


def test_a_browser_that_comes_back_is_told_what_it_missed_and_nothing_twice(server, run_of_alice, as_alice):
    async def watch_it(session):
        async with server.open(session, path(run_of_alice), as_alice) as answer:
            reader = Reader(answer)
            await reader.next()
        await off(change, run_of_alice, stage="generating")
        await off(change, run_of_alice, status="running")
        async with server.open(session, path(run_of_alice), as_alice, **{"Last-Event-ID": "1"}) as answer:
            missed = Reader(answer)
            first = await missed.next()
        async with server.open(session, path(run_of_alice), as_alice, **{"Last-Event-ID": "3"}) as answer:
            knows = Reader(answer)
            await until(lambda: server.hub.is_told)
            await off(finish, run_of_alice)
            second = await knows.next()
            return first["run"], second["run"], await knows.next()

    first, second, end = run(watch_it)

    assert (first["revision"], first["status"]) == (3, "running")
    assert (second["revision"], second["status"]) == (4, "done")
    assert end is None


def test_a_change_is_seen_at_once_and_not_by_looking(server, run_of_alice, as_alice, monkeypatch):
    monkeypatch.setattr(hubs, "CHECK_EVERY_S", 1000)

    async def watch_it(session):
        async with server.open(session, path(run_of_alice), as_alice) as answer:
            reader = Reader(answer)
            await reader.next()
            await until(lambda: server.hub.is_told)
            await off(change, run_of_alice)
            return await reader.next()

    assert run(watch_it)["run"]["revision"] == 2


def test_streams_go_on_without_redis_and_are_told_again_when_it_is_back(server, run_of_alice, as_alice, monkeypatch):
    monkeypatch.setattr(hubs, "CHECK_EVERY_S", 1000)

    async def watch_it(session):
        async with server.open(session, path(run_of_alice), as_alice) as answer:
            reader = Reader(answer)
            seen = [await reader.next()]
            await until(lambda: server.hub.is_told)
            await off(SERVERS.stop, "valkey")
            try:
                await until(lambda: not server.hub.is_told)
                await off(change, run_of_alice)
                seen.append(await reader.next())
            finally:
                await off(SERVERS.start, "valkey")
            await until(lambda: server.hub.is_told)
            await off(change, run_of_alice)
            seen.append(await reader.next())
            return seen

    assert [event["run"]["revision"] for event in run(watch_it)] == [1, 2, 3]


def test_a_stream_that_is_open_when_redis_is_away_begins_and_moves(server, run_of_alice, as_alice):
    async def watch_it(session):
        await off(SERVERS.stop, "valkey")
        try:
            async with server.open(session, path(run_of_alice), as_alice) as answer:
                reader = Reader(answer)
                await reader.next()
                await off(change, run_of_alice)
                return await reader.next()
        finally:
            await off(SERVERS.start, "valkey")

    assert run(watch_it)["run"]["revision"] == 2


def test_a_stream_ends_when_its_token_is_revoked(server, run_of_alice, as_alice, monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.05)
    monkeypatch.setattr(sse, "CHECK_EVERY_S", 0.1)

    async def watch_it(session):
        async with server.open(session, path(run_of_alice), as_alice) as answer:
            reader = Reader(answer)
            await reader.next()
            await off(ApiToken.objects.update, revoked_at=timezone.now() - timedelta(seconds=1))
            return await reader.next()

    assert run(watch_it) is None


def test_a_stream_ends_when_its_reader_logs_out(server, client, run_of_alice, alice, monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.05)
    monkeypatch.setattr(sse, "CHECK_EVERY_S", 0.1)
    client.force_login(alice)
    cookies = {"Cookie": f"sessionid={client.cookies['sessionid'].value}"}

    async def watch_it(session):
        async with server.open(session, path(run_of_alice), cookies) as answer:
            reader = Reader(answer)
            first = await reader.next()
            await off(client.logout)
            return first, await reader.next()

    first, end = run(watch_it)
    assert first["run"]["runId"] == run_of_alice.run_id
    assert end is None


def test_whoever_reads_slowly_is_hung_up_on_and_keeps_nobody_waiting(server, run_of_alice, as_alice, monkeypatch):
    monkeypatch.setattr(patience, "PATIENCE_S", 2.0)
    Run.objects.filter(pk=run_of_alice.pk).update(inputs={"TEXT": "x" * 500_000})
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.connect(("127.0.0.1", server.port))
    words = [f"GET {path(run_of_alice)} HTTP/1.1", "Host: localhost", *(f"{k}: {v}" for k, v in as_alice.items())]
    slow.sendall("\r\n".join([*words, "", ""]).encode())
    slow.recv(1, socket.MSG_PEEK)

    async def watch_it(session):
        async with server.open(session, path(run_of_alice), as_alice) as answer:
            reader = Reader(answer)
            seen = []
            for _ in range(4):
                seen.append((await reader.next())["run"]["revision"])
                await off(change, run_of_alice)
            await until(lambda: len(server.hub._bells[run_of_alice.pk]) == 1)
            return seen

    with slow:
        assert run(watch_it) == [1, 2, 3, 4]
        assert read_to_the_end(slow) < 500_000


def test_two_hundred_streams_cost_one_reading_and_leave_nothing_behind(
    server, run_of_alice, as_alice, monkeypatch, settings
):
    settings.ZAP_STREAMS_PER_CALLER = 0
    reads, read = [], watch._read
    monkeypatch.setattr(watch, "_read", lambda *a, **k: reads.append(1) or read(*a, **k))

    def backends():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND backend_type = 'client backend'"
            )
            return cursor.fetchone()[0]

    connection.close()
    before = backends()

    async def watch_them(session):
        answers = await asyncio.gather(*(server.open(session, path(run_of_alice), as_alice) for _ in range(200)))
        readers = [Reader(answer) for answer in answers]
        await asyncio.gather(*(reader.next() for reader in readers))
        await until(lambda: server.hub.is_told)
        first = len(reads)
        # One more is the test's own, which may have been closed. What has been let go takes a moment to be gone.
        await off(lambda: wait_until(lambda: backends() <= before + 1 and threading.active_count() < 100))
        await off(change, run_of_alice)
        seen = await asyncio.gather(*(reader.next() for reader in readers))
        for answer in answers:
            answer.close()
        await until(lambda: not server.hub._bells and not server.hub._tasks and not places._TAKEN)
        return first, seen

    first, seen = run(watch_them)

    assert {event["run"]["revision"] for event in seen} == {2}
    assert (first, len(reads)) == (1, 2)


def test_a_caller_has_only_so_many_streams_and_a_place_is_free_again(server, run_of_alice, as_alice, settings):
    settings.ZAP_STREAMS_PER_CALLER = 2

    async def watch_it(session):
        answers = [await server.open(session, path(run_of_alice), as_alice) for _ in range(3)]
        refused = answers[2]
        problem = await refused.json(content_type=None)
        answers[0].close()
        await until(lambda: sum(map(len, places._TAKEN.values())) == 1)
        async with server.open(session, path(run_of_alice), as_alice) as again:
            return refused.status, refused.headers["Retry-After"], problem["code"], again.status

    assert run(watch_it) == (429, "5", "TOO_MANY_STREAMS", 200)
