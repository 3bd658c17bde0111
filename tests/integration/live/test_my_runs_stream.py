import asyncio
from datetime import timedelta

import pytest
from django.utils import timezone

from core.api import hub as hubs
from core.api import sse
from runs.api import summaries
from runs.models import Run
from tests.factories import make_run, planned
from tests.integration.live.server import Reader, change, finish, off, run, until
from tests.integration.people import bearer
from tests.servers import SERVERS

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run_of_bob(as_bob, django_user_model):
    return make_run(planned("door"), owner=django_user_model.objects.get(username="bob"))


def ids(event):
    return [run["runId"] for run in event["runs"]]


def long_ago(run):
    """It ended before anybody looked."""
    finish(run)
    Run.objects.filter(pk=run.pk).update(finished_at=timezone.now() - timedelta(minutes=2))


def test_it_begins_with_what_is_at_work_and_tells_of_every_change_and_of_new_runs(
    server, alice, as_alice, run_of_alice
):
    long_ago(make_run(planned("door"), owner=alice))

    async def watch_it(session):
        async with server.open(session, "/api/events", as_alice) as answer:
            reader = Reader(answer)
            first = await reader.next()
            await off(change, run_of_alice, status="running", stage="generating")
            second = await reader.next()
            new = await off(make_run, planned("door"), owner=alice)
            return first, second, new, await reader.next()

    first, second, new, third = run(watch_it)

    assert ids(first) == [run_of_alice.run_id]
    [row] = second["runs"]
    assert (row["runId"], row["status"], row["revision"]) == (run_of_alice.run_id, "running", 2)
    assert ids(third) == [new.run_id]
    assert not {"inputs", "userId", "sessionId"} & set(row)


def test_others_runs_are_not_among_them(server, as_alice, as_bob, run_of_alice, run_of_bob):
    async def watch_it(session):
        async with server.open(session, "/api/events", as_bob) as answer:
            reader = Reader(answer)
            first = await reader.next()
            await off(change, run_of_alice)
            await off(change, run_of_bob)
            return first, await reader.next()

    first, second = run(watch_it)
    assert ids(first) == ids(second) == [run_of_bob.run_id]


def test_staff_see_everybodys_when_they_ask(server, as_staff, run_of_alice, run_of_bob):
    async def watch_it(session):
        async with server.open(session, "/api/events?all=true", as_staff) as answer:
            reader = Reader(answer)
            first = await reader.next()
            await off(change, run_of_alice)
            second = await reader.next()
        async with server.open(session, "/api/events", as_staff) as answer:
            return first, second, await Reader(answer).next()

    everybodys, changed, own = run(watch_it)
    assert set(ids(everybodys)) == {run_of_alice.run_id, run_of_bob.run_id}
    assert ids(changed) == [run_of_alice.run_id]
    assert ids(own) == []


def test_whoever_comes_back_learns_what_ended_meanwhile(server, alice, as_alice, run_of_alice):
    long_ago(make_run(planned("door"), owner=alice))

    async def watch_it(session):
        async with server.open(session, "/api/events", as_alice) as answer:
            reader = Reader(answer)
            await reader.next()
        await off(finish, run_of_alice)
        async with server.open(session, "/api/events", as_alice, **{"Last-Event-ID": str(reader.last_id)}) as answer:
            return await Reader(answer).next()

    [row] = run(watch_it)["runs"]
    assert (row["runId"], row["status"]) == (run_of_alice.run_id, "done")


@pytest.mark.parametrize("shown", ["9" * 18, "x", "0"])
def test_an_id_that_is_not_ours_does_no_harm(server, as_alice, run_of_alice, shown):
    async def watch_it(session):
        async with server.open(session, "/api/events", as_alice, **{"Last-Event-ID": shown}) as answer:
            return await Reader(answer).next()

    assert ids(run(watch_it)) == [run_of_alice.run_id]


def test_changes_that_come_fast_are_one_event_and_one_reading_for_all_readers(
    server, as_alice, run_of_alice, monkeypatch
):
    reads, read = [], summaries.summarize
    monkeypatch.setattr(summaries, "GATHER_S", 1.0)  # fast is what comes in less, on any machine
    monkeypatch.setattr(summaries, "summarize", lambda runs: reads.append(1) or read(runs))

    async def watch_it(session):
        answers = await asyncio.gather(*(server.open(session, "/api/events", as_alice) for _ in range(5)))
        readers = [Reader(answer) for answer in answers]
        await asyncio.gather(*(reader.next() for reader in readers))
        await until(lambda: server.hub.is_told)
        reads.clear()
        await off(lambda: [change(run_of_alice) for _ in range(5)])
        seen = [[row["revision"] for row in (await reader.next())["runs"]] for reader in readers]
        while seen[0] != [6]:
            seen = [[row["revision"] for row in (await reader.next())["runs"]] for reader in readers]
        for answer in answers:
            answer.close()
        return seen

    assert run(watch_it) == [[6]] * 5
    assert len(reads) <= 2


def test_it_goes_on_without_redis(server, as_alice, run_of_alice):
    async def watch_it(session):
        async with server.open(session, "/api/events", as_alice) as answer:
            reader = Reader(answer)
            await reader.next()
            await until(lambda: server.hub.is_told)
            await off(SERVERS.stop, "valkey")
            try:
                await off(finish, run_of_alice)
                without = await reader.next()
            finally:
                await off(SERVERS.start, "valkey")
            return without

    assert run(watch_it)["runs"][0]["status"] == "done"


def test_a_browser_without_an_account_watches_the_runs_of_its_session(server, settings):
    settings.ZAP_OPEN_MODES = ("plan", "mock")
    mine, other = (make_run(planned("door"), session_id=name) for name in ("mine", "other"))

    async def watch_it(session):
        async with server.open(session, "/api/events", {"X-Zap-Session": "mine"}) as answer:
            reader = Reader(answer)
            first = await reader.next()
            await off(change, other)
            await off(change, mine)
            return first, await reader.next()

    first, second = run(watch_it)
    assert ids(first) == ids(second) == [mine.run_id]


def test_it_ends_when_the_account_is_closed(server, alice, as_alice, monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.05)
    monkeypatch.setattr(sse, "CHECK_EVERY_S", 0.1)

    async def watch_it(session):
        async with server.open(session, "/api/events", as_alice) as answer:
            reader = Reader(answer)
            await reader.next()
            await off(lambda: type(alice).objects.update(is_active=False))
            return await reader.next()

    assert run(watch_it) is None


def test_it_ends_when_staff_are_staff_no_more(server, as_staff, django_user_model, monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.05)
    monkeypatch.setattr(sse, "CHECK_EVERY_S", 0.1)

    async def watch_it(session):
        async with server.open(session, "/api/events?all=true", as_staff) as answer:
            reader = Reader(answer)
            await reader.next()
            await off(lambda: django_user_model.objects.update(is_staff=False))
            return await reader.next()

    assert run(watch_it) is None


@pytest.mark.parametrize(
    ("who", "query", "expected"),
    [
        ("nobody", "", (401, "NOT_AUTHENTICATED")),
        ("alice", "?all=true", (403, "FORBIDDEN")),
        ("alice", "?all=yes", (422, "INVALID_INPUT")),
        ("blind", "", (403, "FORBIDDEN")),
    ],
)
def test_whoever_may_not_is_turned_away_before_the_first_byte(client, alice, as_alice, who, query, expected):
    headers = {"nobody": {}, "alice": as_alice, "blind": bearer(alice, ("run",))}[who]

    answer = client.get(f"/api/events{query}", headers=headers)

    assert (answer.status_code, answer.json()["code"]) == expected


def test_opening_one_counts_as_a_call(client, broker, as_alice, settings):
    settings.ZAP_CALLS_PER_MINUTE = 2

    answers = [client.get("/api/events", headers=as_alice) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "TOO_MANY_REQUESTS"
    assert int(answers[2]["Retry-After"]) > 0
    for answer in answers[:2]:
        answer.close()


def test_nothing_is_left_when_the_last_reader_goes(server, as_alice, run_of_alice):
    async def watch_it(session):
        async with server.open(session, "/api/events", as_alice) as answer:
            await Reader(answer).next()
            assert server.hub._ears
        await until(lambda: not server.hub._ears and not server.hub._tasks)

    run(watch_it)


def test_a_lost_notice_is_made_good(server, as_alice, run_of_alice, monkeypatch):
    monkeypatch.setattr(hubs, "CHECK_EVERY_S", 0.2)
    monkeypatch.setattr("runs.dispatch._HERALD.say", lambda notices: None)

    async def watch_it(session):
        async with server.open(session, "/api/events", as_alice) as answer:
            reader = Reader(answer)
            await reader.next()
            await until(lambda: server.hub.is_told)
            await off(finish, run_of_alice)
            return await reader.next()

    assert run(watch_it)["runs"][0]["status"] == "done"
