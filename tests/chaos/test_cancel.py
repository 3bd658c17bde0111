"""Canceling while a provider is busy: it is told to stop, billed truthfully, and its late result is not used."""

from decimal import Decimal

import pytest

from runs.control import cancel_run
from runs.models import Run
from tests.chaos.fal import paid
from tests.chaos.truth import assert_nothing_lost, attempt_in, state_of, wait_for
from tests.factories import make_run
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_job_that_the_provider_stops_costs_nothing(patient, fal):
    fal.work_for(60)
    patient.start("worker", "drain", "beat")
    run = make_run(paid("a"), paid("b", "a"), mode="live")
    attempt_in(run, "accepted")

    cancel_run(run.run_id, actor="user:1")
    attempt_in(run, "canceled")

    assert fal.journal.calls["cancel 202"] == 1
    assert state_of(run) == ("canceled", {"a": "canceled", "b": "canceled"})
    assert money_of(run) == (Decimal(0), Decimal(0))
    assert_nothing_lost(run, fal)


def test_a_job_that_goes_on_regardless_is_paid_for_and_its_late_result_is_not_used(workers, fal):
    fal.stop_time()
    fal.work_for(3)
    fal.fault("cancel", "ignore", times=None)
    workers.start("worker", "drain", "beat")
    run = make_run(paid("a"), paid("b", "a"), mode="live")
    attempt_in(run, "accepted")

    cancel_run(run.run_id, actor="user:1")
    wait_until(lambda: fal.journal.calls["cancel 202"])
    fal.pass_time(3)
    attempt_in(run, "canceled")

    assert fal.journal.calls["cancel 202"] >= 1
    assert fal.journal.count("media") == 0
    assert state_of(run) == ("canceled", {"a": "canceled", "b": "canceled"})
    assert money_of(run) == (Decimal("0.025"), Decimal(0))
    assert run.assets.count() == 0
    assert_nothing_lost(run, fal)


def test_a_provider_that_was_too_busy_to_listen_is_told_again(patient, fal):
    fal.work_for(60)
    fal.fault("cancel", "status", status=503, retry_after_s=1)
    patient.start("worker", "drain", "beat")
    run = make_run(paid("a"), mode="live")
    attempt_in(run, "accepted")

    cancel_run(run.run_id, actor="user:1")
    attempt_in(run, "canceled")

    assert (fal.journal.calls["cancel 503"], fal.journal.calls["cancel 202"]) == (1, 1)
    assert money_of(run) == (Decimal(0), Decimal(0))
    assert_nothing_lost(run, fal)


def test_a_submission_that_is_out_is_stopped_as_soon_as_its_answer_names_the_job(patient, fal):
    fal.work_for(60)
    fal.fault("submit", "slow", delay_s=1.5)
    patient.start("worker", "drain", "beat")
    run = make_run(paid("a"), mode="live")
    wait_until(fal.bought)

    cancel_run(run.run_id, actor="user:1")
    attempt_in(run, "canceled")

    assert fal.journal.calls["cancel 202"] == 1
    assert run.attempts.get().provider_request_id == fal.bought()[0].request_id
    assert money_of(run) == (Decimal(0), Decimal(0))
    assert_nothing_lost(run, fal)


def test_an_unknown_submission_that_was_canceled_is_still_stopped_when_its_answer_comes_at_last(patient, fal):
    fal.work_for(60)
    fal.fault("submit", "slow", delay_s=20)  # long enough to be seen waiting, and to be canceled
    patient.start("worker", "drain", "beat")
    run = make_run(paid("a"), mode="live")
    wait_for(run, "waiting")

    cancel_run(run.run_id, actor="user:1")
    attempt_in(run, "canceled")

    assert fal.journal.calls["cancel 202"] == 1
    assert money_of(run) == (Decimal(0), Decimal(0))
    assert_nothing_lost(run, fal)


def test_the_worker_that_winds_a_job_down_may_die_too(workers, fal):
    fal.work_for(60)
    workers.start("worker")
    run = make_run(paid("a"), mode="live")
    attempt_in(run, "accepted")
    fal.fault("cancel", "slow", delay_s=60)
    cancel_run(run.run_id, actor="user:1")
    wait_until(lambda: fal.journal.count("cancel"))
    workers.kill("worker")

    workers.start("worker", "drain", "beat")
    attempt_in(run, "canceled")

    assert money_of(run) == (Decimal(0), Decimal(0))
    assert_nothing_lost(run, fal)


def money_of(run):
    """What it cost, and what is still reserved."""
    return Run.objects.values_list("cost_usd", "reserved_usd").get(pk=run.pk)
