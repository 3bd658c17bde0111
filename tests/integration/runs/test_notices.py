"""Whoever watches a run is told of its newest revision, whatever moved it."""

import pytest
import redis
from django.conf import settings
from django.db import transaction

from core import notices
from core.notices import Herald, Notice
from runs import dispatch
from runs.engine import drain
from runs.models import Run
from runs.transitions import alone, batches
from runs.transitions.batches import Look
from tests.factories import make_run, planned
from tests.integration.runs.test_drain import SLOW, finished, in_flight, make_due
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Listener:
    """A subscription in the tests' own Redis."""

    def __init__(self, client):
        self.messages = client.pubsub(ignore_subscribe_messages=False)
        self.newest = {}
        self.count = 0

    def listen(self, channel):
        self.messages.subscribe(channel)
        assert self.messages.get_message(timeout=5)["type"] == "subscribe"
        return self

    def take(self):
        """What was said since; waits for a moment."""
        while message := self.messages.get_message(timeout=0.05):
            self.count += 1
            for notice in notices.read(message["data"]):
                self.newest[notice.key] = notice
        return self.newest

    def is_told_of(self, run):
        run.refresh_from_db()
        return self.take().get(run.pk) == Notice(run.pk, run.owner_id or 0, run.revision)


@pytest.fixture
def listener(transactional_db):
    with redis.from_url(settings.REDIS_URL, socket_timeout=5) as client:
        listener = Listener(client)
        yield listener.listen(dispatch.CHANGED)
        listener.messages.close()


def test_a_new_run_and_a_whole_life(bells, listener, alice):
    run = make_run(planned("a"), planned("b", "a"), owner=alice)
    wait_until(lambda: listener.is_told_of(run))

    bells.answer_all()

    wait_until(lambda: listener.is_told_of(run))
    assert run.status == "done"
    assert listener.count <= run.revision


def test_each_move_of_a_paid_request(bells, listener):
    run = make_run(planned("a", params=SLOW))
    attempt = in_flight(run)
    make_due(attempt)
    [leased] = batches.claim_polls(10)

    alone.settling(attempt, leased.token)

    assert run.events.order_by("-seq").first().type == "attempt.settling"
    wait_until(lambda: listener.is_told_of(run))


def test_what_the_drain_finds_finished(bells, listener):
    run = make_run(planned("a", params=SLOW))
    attempt = in_flight(run)
    make_due(attempt, urls=finished(attempt.urls))

    drain.run_cycle(window_s=0.6, job_name="test")

    assert run.events.order_by("-seq").first().type == "attempt.settling"
    wait_until(lambda: listener.is_told_of(run))


def test_progress_that_the_drain_sees(bells, listener):
    run = make_run(planned("a", params=SLOW))
    make_due(in_flight(run))
    Run.objects.update(shown_at=None)
    run.refresh_from_db()
    before = run.revision
    [leased] = batches.claim_polls(10)

    batches.write_looks([Look(leased, 60, progress=0.5)])

    wait_until(lambda: listener.is_told_of(run))
    assert run.revision == before + 1


def test_nobody_is_told_of_what_was_rolled_back(listener):
    with transaction.atomic():
        make_run(planned("a"))
        transaction.set_rollback(True)
    run = make_run(planned("b"))

    wait_until(lambda: listener.is_told_of(run))
    assert list(listener.newest) == [run.pk]


def test_many_at_once_are_few_messages(listener, broker):
    listener.listen("zap:test")

    Herald("zap:test").say(Notice(key, 0, 1) for key in range(1, 1201))

    wait_until(lambda: len(listener.take()) == 1200)
    assert listener.count == 3
