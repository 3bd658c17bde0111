"""Two who write to the same rows in the same moment wait for each other, and neither is thrown out."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection, transaction

from runs.engine.advance import advance_run
from runs.engine.submit import submit_attempt
from runs.models import Attempt, Step
from runs.transitions import batches
from tests.factories import make_run, planned
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_showing_progress_and_moving_a_run_do_not_deadlock(broker):
    slow = {"mock": {"latency_s": 3600}}
    run = make_run(planned("a", params=slow), planned("b", params=slow))
    advance_run(run.pk)
    for attempt in run.attempts.all():
        submit_attempt(attempt.pk)
    Attempt.objects.update(due_at="2020-01-01T00:00:00Z", lease_until=None, polls=0)
    later_first = sorted(batches.claim_polls(2), key=lambda leased: -leased.step_id)
    first, second = run.steps.order_by("pk")
    # By due time, by which PostgreSQL finds running steps, the other one comes first.
    Step.objects.filter(pk=first.pk).update(due_at="2100-01-01T00:00:00Z")

    with ThreadPoolExecutor(1) as drain:
        with transaction.atomic():
            Step.objects.filter(pk=first.pk).update(error="")
            written = drain.submit(write_looks, [batches.Look(leased, 60.0, progress=0.5) for leased in later_first])
            wait_until(somebody_waits_for_a_lock)
            Step.objects.filter(pk=second.pk).update(error="")

        written.result(timeout=10)

    assert list(run.steps.values_list("progress", flat=True)) == [0.5, 0.5]


def write_looks(looks):
    try:
        batches.write_looks(looks)
    finally:
        connection.close()


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]
