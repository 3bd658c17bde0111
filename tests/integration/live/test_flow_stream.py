"""The output of a flow's run, as it is written."""

import pytest

from flows import output, results
from tests.integration.flows.making import claim_one, dispatch, sync
from tests.integration.live.server import Reader, off, run

pytestmark = pytest.mark.django_db(transaction=True)


def lines(*numbers):
    return [{"seq": number, "kind": "stdout", "text": f"line {number}\n"} for number in numbers]


@pytest.fixture
def lease():
    sync()
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
