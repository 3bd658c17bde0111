"""kill -9 of the worker at every boundary of a paid step."""

from decimal import Decimal

import pytest
from django.db import connection, transaction

from runs.models import Run
from tests.chaos.fal import PRICE, deaf_listener, paid
from tests.chaos.truth import assert_nothing_lost, attempt_in, state_of, wait_for
from tests.factories import make_run
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_killed_after_the_intent_and_before_sending_it_waits_for_a_person(workers, fal):
    with deaf_listener() as nowhere:
        workers.environment["FAL_BASE_URL"] = nowhere
        workers.start("worker")
        run = make_run(paid("a"), paid("b", "a"), mode="live")
        attempt_in(run, "submitting")
        workers.kill("worker")

    workers.start("worker", "drain", "beat")
    wait_for(run, "waiting")

    step = run.steps.get(step_id="a")
    assert (step.status, step.wait_reason, step.error) == ("waiting", "submission_unknown", "SUBMISSION_UNKNOWN")
    assert state_of(run) == ("waiting", {"a": "waiting", "b": "queued"})
    assert Run.objects.get(pk=run.pk).reserved_usd == Decimal("0.05")
    assert fal.journal.submissions == []
    assert_nothing_lost(run, fal)


def test_killed_between_sending_and_the_recorded_answer_it_waits_and_is_never_sent_again(workers, fal):
    fal.fault("submit", "slow", delay_s=60)
    workers.start("worker")
    run = make_run(paid("a"), paid("b", "a"), mode="live")
    wait_until(fal.bought)
    workers.kill("worker")

    workers.start("worker", "drain", "beat")
    wait_for(run, "waiting")

    assert run.attempts.get().status == "unknown"
    assert state_of(run)[1] == {"a": "waiting", "b": "queued"}
    assert len(fal.journal.submissions) == 1
    assert Run.objects.get(pk=run.pk).reserved_usd == Decimal("0.05")
    assert_nothing_lost(run, fal)


def test_killed_between_sending_and_answer_a_step_that_must_not_wait_fails_and_keeps_its_reservation(workers, fal):
    fal.fault("submit", "slow", delay_s=60)
    workers.start("worker")
    run = make_run(paid("a", on_unknown="fail"), paid("b", "a"), mode="live")
    wait_until(fal.bought)
    workers.kill("worker")

    workers.start("worker", "drain", "beat")
    wait_for(run, "failed")

    assert state_of(run)[1] == {"a": "failed", "b": "skipped"}
    assert Run.objects.get(pk=run.pk).error == "SUBMISSION_UNKNOWN"
    assert Run.objects.get(pk=run.pk).reserved_usd == Decimal(PRICE)
    assert len(fal.journal.submissions) == 1
    assert_nothing_lost(run, fal)


def test_killed_after_the_job_was_accepted_the_step_is_finished_by_others(workers, fal):
    fal.stop_time()
    fal.work_for(2)
    workers.start("worker")
    run = make_run(paid("a"), paid("b", "a"), mode="live")
    attempt_in(run, "accepted")
    workers.kill("worker")

    fal.work_for(0)
    fal.pass_time(2)
    workers.start("worker", "drain", "beat")
    wait_for(run, "done")

    assert len(fal.journal.submissions) == 2
    assert Run.objects.get(pk=run.pk).cost_usd == Decimal("0.05")
    assert_nothing_lost(run, fal)


def test_killed_in_the_middle_of_a_poll(workers, fal):
    fal.fault("status", "slow", delay_s=60)
    workers.start("worker")
    run = make_run(paid("a"), mode="live")
    wait_until(lambda: fal.journal.count("status"))
    workers.kill("worker")

    workers.start("worker", "drain", "beat")
    wait_for(run, "done")

    assert len(fal.journal.submissions) == 1
    assert_nothing_lost(run, fal)


def test_killed_in_the_middle_of_a_download(workers, fal):
    fal.fault("media", "drip", delay_s=0.5)
    workers.start("worker")
    run = make_run(paid("a"), mode="live")
    wait_until(lambda: fal.journal.count("media"))
    assert attempt_in(run, "settling")
    workers.kill("worker")

    workers.start("worker", "drain", "beat")
    wait_for(run, "done")

    assert fal.journal.count("media") == 2
    assert len(fal.journal.submissions) == 1
    assert_nothing_lost(run, fal)


def test_killed_before_the_step_is_closed_its_files_are_stored_once(workers, fal):
    fal.fault("media", "slow", delay_s=5)
    workers.start("worker")
    run = make_run(paid("a"), paid("b", "a"), mode="live")
    attempt_in(run, "settling")
    with transaction.atomic():
        Run.objects.select_for_update().get(pk=run.pk)
        wait_until(somebody_waits_for_a_lock)
        workers.kill("worker")

    workers.start("worker", "drain", "beat")
    wait_for(run, "done")

    assert len(fal.journal.submissions) == 2
    assert_nothing_lost(run, fal)


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]
