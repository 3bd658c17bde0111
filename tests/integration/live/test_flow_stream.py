"""The output of a flow's run, as it is written."""

import socket
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import ApiToken
from config import patience
from core.api import hub as hubs
from core.api import sse
from flows import output, results
from flows.api import stream
from flows.models import FlowRun
from tests.integration.flows.making import claim_one, dispatch, step, sync
from tests.integration.live.server import Reader, off, run, until
from tests.integration.live.test_run_stream import read_to_the_end
from tests.servers import SERVERS

pytestmark = pytest.mark.django_db(transaction=True)


def lines(*numbers):
    return [{"seq": number, "kind": "stdout", "text": f"line {number}\n"} for number in numbers]


@pytest.fixture
def lease():
    sync("ci", step(maxAttempts=2, retryOnFail=True, backoffMs=0))
    dispatch(at=None)
    return claim_one(at=None)


@pytest.fixture
def write(lease):
    return lambda *numbers: output.append(lease.attempt_id, lease.token, lines(*numbers))


def texts(event):
    return [piece["text"] for piece in event["output"]]


def test_output_comes_as_it_is_written_and_ends_with_the_run(server, as_staff, lease, write):
    write(1)

    async def test(session):
        async with server.open(session, f"/api/flows/runs/{lease.run_id}/stream", as_staff) as answer:
            reader = Reader(answer)
            first = await reader.next()
            await off(write, 2, 3)
            second = await reader.next()
            await off(results.complete, lease.attempt_id, lease.token, {"status": "completed"})
            return first, second, await reader.next(), await reader.next()

    first, second, end, nothing = run(test)

    assert (texts(first), texts(second)) == (["line 1\n"], ["line 2\n", "line 3\n"])
    assert end == {"status": "completed"}
    assert nothing is None


def test_a_reader_who_comes_back_misses_nothing_and_is_sent_nothing_twice(server, as_staff, lease, write):
    write(1)
    path = f"/api/flows/runs/{lease.run_id}/stream"

    async def test(session):
        async with server.open(session, path, as_staff) as answer:
            reader = Reader(answer)
            await reader.next()
        await off(write, 2)
        async with server.open(session, path, as_staff, **{"Last-Event-ID": str(reader.last_id)}) as answer:
            again = Reader(answer)
            missed = await again.next()
        await off(results.cancel, lease.run_id)
        async with server.open(session, path, as_staff, **{"Last-Event-ID": str(again.last_id)}) as answer:
            return missed, answer.status

    missed, status = run(test)

    assert texts(missed) == ["line 2\n"]
    assert status == 204


def test_one_stream_follows_over_two_attempts_and_a_reader_may_come_back_between_them(server, as_staff, lease, write):
    path = f"/api/flows/runs/{lease.run_id}/stream"
    write(1, 2)

    async def test(session):
        async with server.open(session, path, as_staff) as answer:
            reader = Reader(answer)
            seen = [await reader.next()]
            place = reader.last_id
            await off(results.fail, lease.attempt_id, lease.token, "no")
            second = await off(claim_one, at=None)
            await off(output.append, second.attempt_id, second.token, lines(1))
            seen.append(await reader.next())
        async with server.open(session, path, as_staff, **{"Last-Event-ID": str(place)}) as answer:
            again = Reader(answer)
            seen.append(await again.next())
            await off(results.fail, second.attempt_id, second.token, "no")
            return [*seen, await again.next()]

    first, second, again, end = run(test)

    assert texts(first) == ["line 1\n", "line 2\n"]
    assert [(piece["attemptNumber"], piece["seq"]) for piece in second["output"]] == [(2, 1)]
    assert again == second
    assert end == {"status": "failed"}


def test_more_output_than_one_event_holds_comes_in_several_and_before_the_end(server, as_staff, lease, monkeypatch):
    for first in (1, 501, 1001):
        output.append(lease.attempt_id, lease.token, lines(*range(first, first + 500)))
    results.complete(lease.attempt_id, lease.token, {})

    async def test(session):
        async with server.open(session, f"/api/flows/runs/{lease.run_id}/stream", as_staff) as answer:
            reader, seen = Reader(answer), []
            while (event := await reader.next()) and "output" in event:
                seen += [piece["seq"] for piece in event["output"]]
            return seen, event

    assert run(test) == (list(range(1, 1501)), {"status": "completed"})


def test_the_largest_pieces_come_a_million_bytes_at_a_time_and_before_the_end(server, as_staff, lease):
    large = [{"seq": number, "kind": "stdout", "text": "x" * output.MAX_PIECE} for number in range(1, 41)]
    output.append(lease.attempt_id, lease.token, large)
    results.complete(lease.attempt_id, lease.token, {})

    async def test(session):
        address = f"http://127.0.0.1:{server.port}/api/flows/runs/{lease.run_id}/stream"
        async with session.get(address, headers=as_staff, read_bufsize=2**20) as answer:  # its lines are long
            reader, seen = Reader(answer), []
            while (event := await reader.next()) and "output" in event:
                seen.append([piece["seq"] for piece in event["output"]])
            return seen, event

    seen, end = run(test)

    assert seen == [list(range(1, 17)), list(range(17, 33)), list(range(33, 41))]
    assert end == {"status": "completed"}


def test_output_goes_on_without_redis_and_quickly_again_when_it_is_back(server, as_staff, lease, write, monkeypatch):
    monkeypatch.setattr(hubs, "CHECK_EVERY_S", 1000)

    async def test(session):
        async with server.open(session, f"/api/flows/runs/{lease.run_id}/stream", as_staff) as answer:
            reader, seen = Reader(answer), []
            await off(write, 1)
            seen += texts(await reader.next())
            hub = stream._by_loop[server.loop]
            await until(lambda: hub.is_told)
            await off(SERVERS.stop, "valkey")
            try:
                await until(lambda: not hub.is_told)
                await off(write, 2)
                seen += texts(await reader.next())
            finally:
                await off(SERVERS.start, "valkey")
            await until(lambda: hub.is_told)
            await off(write, 3)
            return seen + texts(await reader.next())

    assert run(test) == ["line 1\n", "line 2\n", "line 3\n"]


def test_whoever_reads_output_slowly_is_hung_up_on_and_keeps_nobody_waiting(
    server, as_staff, lease, write, monkeypatch
):
    monkeypatch.setattr(patience, "PATIENCE_S", 0.5)
    path, key = f"/api/flows/runs/{lease.run_id}/stream", FlowRun.objects.get().pk
    large = [{"seq": number, "kind": "stdout", "text": "x" * 60_000} for number in range(1, 21)]
    output.append(lease.attempt_id, lease.token, large)
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    words = [f"GET {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in as_staff.items())]

    def begin_slowly():
        slow.connect(("127.0.0.1", server.port))
        slow.sendall("\r\n".join([*words, "", ""]).encode())
        slow.recv(1, socket.MSG_PEEK)

    async def test(session):
        async with server.open(session, path, as_staff, **{"Last-Event-ID": str((1 << 32) + 20)}) as answer:
            reader = Reader(answer)
            await off(begin_slowly)
            await off(write, 21)
            seen = texts(await reader.next())
            await until(lambda: len(stream._by_loop[server.loop]._bells[key]) == 1)
            await off(write, 22)
            return seen + texts(await reader.next())

    with slow:
        assert run(test) == ["line 21\n", "line 22\n"]
        assert read_to_the_end(slow) < 1_200_000


def close_account():
    get_user_model().objects.update(is_active=False)


def take_staff_away():
    get_user_model().objects.update(is_staff=False)


def revoke_keys():
    ApiToken.objects.update(revoked_at=timezone.now() - timedelta(seconds=1))


def end_sessions():
    Session.objects.all().delete()


@pytest.mark.parametrize(
    ("lose", "by"),
    [
        (revoke_keys, "key"), (close_account, "key"), (take_staff_away, "key"),
        (end_sessions, "session"), (close_account, "session"), (take_staff_away, "session"),
    ],
)  # fmt: skip
def test_a_stream_ends_when_its_reader_loses_the_right(server, as_staff, client, lease, write, monkeypatch, lose, by):
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.05)
    monkeypatch.setattr(sse, "CHECK_EVERY_S", 0.1)
    client.force_login(get_user_model().objects.get())
    cookie = {"Cookie": f"sessionid={client.cookies['sessionid'].value}"}
    path = f"/api/flows/runs/{lease.run_id}/stream"
    write(1)

    async def test(session):
        async with server.open(session, path, as_staff if by == "key" else cookie) as answer:
            reader = Reader(answer)
            first = await reader.next()
            await off(lose)
            end = await reader.next()
        async with server.open(session, path, as_staff if by == "key" else cookie) as answer:
            return texts(first), end, answer.status

    assert run(test) == (["line 1\n"], None, 403 if lose is take_staff_away else 401)


def test_strangers_are_not_let_in(server, as_alice, lease):
    async def test(session):
        async with server.open(session, f"/api/flows/runs/{lease.run_id}/stream", as_alice) as answer:
            return answer.status

    assert run(test) == 403


def test_streams_of_flows_count_among_those_that_a_caller_may_have_open(server, as_staff, lease, settings):
    settings.ZAP_STREAMS_PER_CALLER = 2
    path = f"/api/flows/runs/{lease.run_id}/stream"

    async def test(session):
        async with server.open(session, path, as_staff) as one, server.open(session, path, as_staff) as two:
            async with server.open(session, path, as_staff) as three:
                refused = three.status, (await three.json())["code"]
            return one.status, two.status, refused

    async def again(session):
        async with server.open(session, path, as_staff) as answer:
            return answer.status

    assert run(test) == (200, 200, (429, "TOO_MANY_STREAMS"))
    results.cancel(lease.run_id)
    assert run(again) == 200
