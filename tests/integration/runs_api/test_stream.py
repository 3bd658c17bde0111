import asyncio
import json
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import AsyncClient
from django.utils import timezone

from accounts.models import ApiToken
from core.api import sse
from runs import dispatch
from runs.api import watch as watching
from runs.models import Run
from tests.factories import make_run, planned
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def run(alice):
    return make_run(planned("door"), owner=alice)


def path(run):
    return f"/api/runs/{run.run_id}/events"


def change(run, **fields):
    """As a transition would: another revision, committed."""
    now = Run.objects.get(pk=run.pk).revision
    Run.objects.filter(pk=run.pk).update(revision=now + 1, **fields)
    dispatch.changed_soon((run.pk, run.owner_id, now + 1))
    return now + 1


def finish(run):
    return change(run, status="done", stage="complete", finished_at=timezone.now(), due_at=None)


async def off(work, *args, **kwargs):
    def call():
        try:
            return work(*args, **kwargs)
        finally:
            connections.close_all()

    return await asyncio.to_thread(call)


class Reader:
    """A browser's EventSource, as far as these tests need one."""

    def __init__(self, response):
        self.parts = aiter(response.streaming_content)
        self.text = ""

    async def next(self, within_s=30):
        """Id and document of the next event; None when the stream has ended."""
        while "\n\n" not in self.text:
            try:
                self.text += (await asyncio.wait_for(anext(self.parts), within_s)).decode()
            except StopAsyncIteration:
                return None
        block, _, self.text = self.text.partition("\n\n")
        fields = dict(line.split(": ", 1) for line in block.split("\n"))
        return (int(fields["id"]), json.loads(fields["data"])) if "id" in fields else await self.next(within_s)


async def open_stream(run, headers, **more):
    return await AsyncClient().get(path(run), headers={**headers, **more})


def test_a_watcher_sees_the_run_now_and_whenever_it_changes_until_it_ends(run, as_alice):
    async def watch():
        response = await open_stream(run, as_alice)
        assert response["Content-Type"].startswith("text/event-stream")
        reader = Reader(response)
        first = await reader.next()
        await off(change, run, stage="generating", status="running")
        second = await reader.next()
        await off(finish, run)
        return first, second, await reader.next(), await reader.next()

    first, second, third, end = asyncio.run(watch())

    assert [(event[0], event[1]["run"]["status"]) for event in (first, second, third)] == [
        (1, "queued"),
        (2, "running"),
        (3, "done"),
    ]
    assert first[1]["run"]["revision"] == 1
    assert first[1]["steps"][0]["stepId"] == "door"
    assert end is None


def test_whoever_comes_back_with_the_newest_id_is_told_nothing_twice(run, as_alice):
    async def watch():
        reader = Reader(await open_stream(run, as_alice, **{"Last-Event-ID": "1"}))
        waiting = asyncio.create_task(reader.next())
        await asyncio.sleep(0)
        await off(finish, run)
        return await waiting

    assert asyncio.run(watch())[0] == 2


def test_changes_that_come_fast_are_one_event(run, as_alice):
    async def watch():
        reader = Reader(await open_stream(run, as_alice))
        await reader.next()
        for _ in range(5):
            await off(change, run)
        await off(finish, run)
        seen = []
        while (event := await reader.next()) is not None:
            seen.append(event[0])
        return seen

    seen = asyncio.run(watch())
    assert seen[-1] == 7
    assert len(seen) <= 3


@pytest.mark.parametrize("shown", ["99", "-1", "x", "9" * 40])
def test_an_id_that_is_not_ours_is_as_none(run, as_alice, shown):
    async def watch():
        return await Reader(await open_stream(run, as_alice, **{"Last-Event-ID": shown})).next()

    assert asyncio.run(watch())[0] == 1


def test_a_final_run_is_shown_once_and_then_ends_the_reconnecting(run, as_alice):
    finish(run)

    async def watch():
        reader = Reader(await open_stream(run, as_alice))
        event = await reader.next()
        assert await reader.next() is None
        return event[0], (await open_stream(run, as_alice, **{"Last-Event-ID": "2"})).status_code

    assert asyncio.run(watch()) == (2, 204)


def test_a_stranger_is_turned_away_before_the_first_byte(run, as_bob):
    async def watch():
        stranger = await open_stream(run, as_bob)
        nobody = await open_stream(run, {})
        wrong = await open_stream(run, {"Authorization": "Bearer zap_x"})
        return [(answer.status_code, json.loads(answer.content)["code"]) for answer in (stranger, nobody, wrong)]

    assert asyncio.run(watch()) == [(404, "NOT_FOUND"), (404, "NOT_FOUND"), (401, "CREDENTIALS_REFUSED")]


def test_a_quiet_stream_shows_signs_of_life(run, as_alice, monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.05)

    async def watch():
        parts = aiter((await open_stream(run, as_alice)).streaming_content)
        return [await asyncio.wait_for(anext(parts), 5) for _ in range(4)]

    assert asyncio.run(watch())[2:] == [b": still here\n\n", b": still here\n\n"]


def test_a_stream_ends_when_its_token_is_revoked(run, as_alice, monkeypatch):
    monkeypatch.setattr(sse, "KEEP_ALIVE_S", 0.05)
    monkeypatch.setattr(sse, "CHECK_EVERY_S", 0.1)

    async def watch():
        reader = Reader(await open_stream(run, as_alice))
        await reader.next()
        await off(ApiToken.objects.update, revoked_at=timezone.now() - timedelta(seconds=1))
        return [part async for part in reader.parts]

    parts = asyncio.run(asyncio.wait_for(watch(), 10))
    assert set(parts) <= {sse.KEEP_ALIVE}


def test_many_watchers_cost_one_reading(run, as_alice, monkeypatch):
    reads = []
    read = watching._read
    monkeypatch.setattr(watching, "_read", lambda *a, **k: reads.append(1) or read(*a, **k))

    async def watch():
        readers = [Reader(await open_stream(run, as_alice)) for _ in range(10)]
        await asyncio.gather(*(reader.next() for reader in readers))
        before = len(reads)
        await off(finish, run)
        return before, await asyncio.gather(*(reader.next() for reader in readers))

    before, ends = asyncio.run(watch())
    assert (before, len(reads)) == (1, 2)
    assert {end[0] for end in ends} == {2}


def test_a_waiting_stream_holds_no_database_connection(run, as_alice):
    def count():
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity "
                "WHERE datname = current_database() AND backend_type = 'client backend'"
            )
            return cursor.fetchone()[0]

    assert get_user_model().objects.exists()
    before = count()

    async def watch():
        readers = [Reader(await open_stream(run, as_alice)) for _ in range(5)]
        await asyncio.gather(*(reader.next() for reader in readers))
        # One more is the counting itself. What has been let go takes a moment to be gone.
        await off(lambda: wait_until(lambda: count() <= before + 1))

    asyncio.run(watch())
