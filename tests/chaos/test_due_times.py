"""A worker is killed while it fires schedules, and the broker is gone: each due time makes one run, once."""

import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.caller import Caller, Scope
from automations.models import Firing, Schedule
from automations.schedules import Wish, make_schedule
from runs.models import Run
from tests.integration.people import make_user
from tests.integration.recipes import door
from tests.processes import PATIENCE_S, wait_until
from tests.servers import SERVERS
from zaps.catalogue import Entry, publish

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "as-secret-as-a-test-can-be"
EVERY_S = 3600


@pytest.fixture
def broken_broker(broker):
    """Called, it kills the broker; it is back for the next test."""
    yield lambda: SERVERS.kill("valkey")
    SERVERS.start("valkey")


def test_each_due_time_makes_one_run_though_a_worker_dies_in_mid_firing_and_the_broker_is_gone(stack, broken_broker):
    due = due_a_moment_ago(6)
    stack.environment["ZAP_POLL_DRAIN_SECRET"] = SECRET
    stack.start("beat", "web")
    with transaction.atomic():
        nobody_makes_a_run()
        stack.start("worker")
        wait_until(somebody_waits_for_that)
        stack.kill("worker")
    broken_broker()

    with ThreadPoolExecutor(3) as schedulers:
        wait_until(lambda: ask_many(schedulers, stack.address) and Firing.objects.count() == len(due))
    SERVERS.start("valkey")
    Schedule.objects.filter(pk=due[0][0]).update(overlap="allow", next_at=timezone.now())
    stack.start("worker")
    wait_until(lambda: Firing.objects.count() == len(due) + 1)

    assert set(due) < set(Firing.objects.values_list("schedule", "due_at"))
    assert Run.objects.count() == Firing.objects.values("run").distinct().count() == len(due) + 1


def due_a_moment_ago(count):
    """So many schedules; each one's id, and when it was due."""
    anna = make_user("anna")
    publish(Entry(source=door(), prompts={}, visibility="private"), author=anna)
    caller = Caller(user=anna, principal_id=f"user:{anna.pk}", scopes=frozenset(Scope))
    wish = Wish(slug="blue-door", inputs={"NAME": "Ada"}, every_s=EVERY_S)
    made = [make_schedule(wish, caller, at=timezone.now() - timedelta(seconds=EVERY_S + 1)) for _ in range(count)]
    return [(schedule.pk, schedule.next_at) for schedule in made]


def nobody_makes_a_run():
    """Whoever wants to waits for the end of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE runs IN SHARE MODE")


def somebody_waits_for_that():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'runs'::regclass")
        return cursor.fetchone()[0]


def ask_many(schedulers, address):
    """Schedulers outside, all at once. True."""
    return all(schedulers.map(lambda _: ask(address), range(3)))


def ask(address):
    request = urllib.request.Request(
        f"{address}/api/providers/poll/drain", b"", {"x-zap-cron-secret": SECRET}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return answer.status == 200
