"""Schedules whose worker is killed while it fires, and whose broker is gone: each due time makes one run."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from accounts.caller import Caller, Scope
from automations.models import Firing, Schedule
from automations.schedules import Wish, make_schedule
from embedded.servers import Servers
from runs.models import Run
from tests.integration.recipes import door
from tests.processes import wait_until
from tests.servers import SERVERS
from zaps.catalogue import Entry, publish

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 8
EVERY_S = 3600


def test_each_due_time_makes_one_run_though_its_worker_is_killed_and_the_broker_is_gone(stack, broker):
    due_at = schedules_due_a_moment_ago()
    stack.environment["ZAP_POLL_DRAIN_SECRET"] = "as-secret-as-a-test-can-be"
    stack.start("worker", "beat")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE runs IN SHARE MODE")  # whoever fires stops where it makes the run
        wait_until(somebody_waits_to_make_a_run)
        stack.kill("worker")
        assert not Firing.objects.exists()
    broker.flushall()

    stack.start("worker", "web")
    wait_until(lambda: Firing.objects.count() >= 1)

    wait_until(lambda: Firing.objects.count() == COUNT)
    assert sorted(Firing.objects.values_list("due_at", "schedule")) == sorted(due_at)
    assert Run.objects.count() == COUNT
    assert Firing.objects.exclude(run=None).values("run").distinct().count() == COUNT
