"""What is kept for how long."""

import pytest
from django.db.models.functions import Now

from flows import events, hooks, output, results, retention, sweep
from flows.models import FlowAttempt, FlowEvent, FlowOutput, FlowReplay, FlowRun, FlowSweepLog
from tests.integration.flows.making import NOON, after, claim_one, dispatch, event, sync

pytestmark = pytest.mark.django_db
DAY_S = 24 * 3600


@pytest.fixture
def thirty_days(settings):
    settings.FLOWS_RETENTION_DAYS = 30


def end(*, at):
    lease = claim_one(at=at)
    output.append(lease.attempt_id, lease.token, [{"seq": 1, "kind": "stdout", "text": "x"}], at=at)
    results.complete(lease.attempt_id, lease.token, {}, at=at)
    return lease


def test_an_event_goes_with_all_that_came_of_it_days_after_its_last_run_ended(thirty_days):
    sync()
    dispatch("old")
    end(at=after(1))
    events.replay("old", key="k", at=after(DAY_S))
    end(at=after(DAY_S))

    assert retention.forget(after(31 * DAY_S)) == 0
    assert retention.forget(after(31 * DAY_S + 1)) == 1

    for table in (FlowEvent, FlowReplay, FlowRun, FlowAttempt, FlowOutput):
        assert not table.objects.exists()
    assert events.dispatch(event("old"), at=after(32 * DAY_S)).status == "accepted"


def test_what_is_young_or_has_not_ended_or_not_been_told_stays(thirty_days):
    sync()
    dispatch("open")
    dispatch("told")
    claim_one(at=NOON, flows=["ci"])  # that of "open"
    end(at=after(1))
    dispatch("young", at=after(50 * DAY_S))
    dispatch("matched nothing", type="other", at=after(2))

    hook = hooks.on_final(lambda run: None)
    try:
        FlowRun.objects.filter(event__event_id="told").update(is_told=False)
        assert retention.forget(after(60 * DAY_S)) == 1
        assert set(FlowEvent.objects.values_list("event_id", flat=True)) == {"open", "told", "young"}
    finally:
        hooks.remove(hook)
    assert retention.forget(after(60 * DAY_S)) == 1
    assert set(FlowEvent.objects.values_list("event_id", flat=True)) == {"open", "young"}


def test_a_page_of_what_must_stay_hides_nothing_behind_it(thirty_days, monkeypatch):
    monkeypatch.setattr(retention, "_AT_ONCE", 3)
    sync()
    for number in range(7):
        dispatch(f"open {number}")
    for number in range(4):
        dispatch(f"nothing {number}", type="other")

    assert sweep.sweep(at=after(31 * DAY_S)).processed_count == 4
    assert FlowEvent.objects.count() == 7


def test_everything_is_kept_unless_the_operator_says_otherwise():
    sync()
    dispatch("old")
    end(at=after(1))

    assert retention.forget(after(10_000 * DAY_S)) == 0
    assert FlowEvent.objects.exists()


def test_logs_of_sweeps_are_kept_for_as_many_days_as_the_operator_says(settings):
    settings.FLOWS_SWEEP_LOG_DAYS = 3
    for days in (2, 4):
        log = sweep.sweep()
        FlowSweepLog.objects.filter(pk=log.pk).update(start_time=Now() - retention.timedelta(days=days))

    kept = sweep.sweep()

    assert FlowSweepLog.objects.count() == 2
    assert kept.status == "success"
