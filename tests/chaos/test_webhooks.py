"""Webhooks between real processes: what one brings home alone, and what one proves."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now

from runs.models import Attempt, Webhook
from tests.chaos.fal import paid
from tests.chaos.truth import assert_nothing_lost, attempt_in, state_of, wait_for
from tests.factories import make_run
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reachable(workers):
    """The same processes, at an address that the vendor is told."""
    workers.environment["ZAP_PUBLIC_URL"] = workers.address
    return workers


def delivered(fal):
    return wait_until(lambda: [one.status for one in fal.journal.deliveries])


def test_a_webhook_brings_a_job_home_that_nobody_would_have_looked_at(reachable, fal):
    fal.stop_time()
    fal.work_for(1)
    reachable.start("web", "worker")
    run = make_run(paid("a"), mode="live")
    attempt_in(run, "accepted")
    wait_until(lambda: Attempt.objects.filter(lease_token=None, polls__gt=0).update(due_at=Now() + timedelta(hours=1)))

    fal.pass_time(1)

    wait_for(run, "done")
    assert delivered(fal) == [200]
    assert Webhook.objects.get().outcome == "rung"
    assert_nothing_lost(run, fal)


def test_a_webhook_proves_what_a_killed_worker_had_bought(reachable, fal):
    fal.fault("submit", "slow", delay_s=60)
    reachable.start("web", "worker")
    run = make_run(paid("a"), mode="live")
    assert delivered(fal) == [202]
    reachable.kill("worker")

    reachable.start("worker", "drain", "beat")

    wait_for(run, "done")
    assert state_of(run) == ("done", {"a": "done"})
    assert Webhook.objects.get().outcome == "early"
    assert len(fal.journal.submissions) == 1
    assert_nothing_lost(run, fal)
