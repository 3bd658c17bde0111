"""The drain: what no message announced is found in the database."""

import json
from datetime import timedelta
from threading import Event
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from cli.__main__ import main
from runs.engine import cron_logs, drain
from runs.engine.advance import advance_run
from runs.engine.poller import POLLER
from runs.engine.submit import submit_attempt
from runs.models import Attempt, CronLog
from runs.transitions import batches
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = {"mock": {"latency_s": 3600}}
LATE = timedelta(seconds=60)


def in_flight(run):
    """Begin the run's first step and submit it; the attempt is then with its provider."""
    advance_run(run.pk)
    attempt = run.attempts.get()
    submit_attempt(attempt.pk)
    attempt.refresh_from_db()
    return attempt


def make_due(attempt, **fields):
    Attempt.objects.filter(pk=attempt.pk).update(due_at=Now() - LATE, lease_until=None, **fields)


def finished(urls):
    """The same job of the mock's, begun long ago."""
    return {"mock": json.dumps({**json.loads(urls["mock"]), "at": 0})}


def test_a_job_that_is_due_is_polled_and_due_again_later(bells):
    attempt = in_flight(make_run(planned("a", params=SLOW)))
    make_due(attempt)
    polls, begun = Attempt.objects.get().polls, timezone.now()

    report = drain.run_cycle(window_s=0.5, job_name="test")

    attempt.refresh_from_db()
    assert report.processed == 1
    assert attempt.polls == polls + 1
    assert attempt.lease_token is None
    assert attempt.due_at > begun


def test_a_finished_job_is_moved_on_and_its_bell_rung(bells):
    run = make_run(planned("a", params=SLOW))
    attempt = in_flight(run)
    make_due(attempt, urls=finished(attempt.urls))
    bells.waiting.clear()

    drain.run_cycle(window_s=0.6, job_name="test")

    assert Attempt.objects.get().status == "settling"
    bells.answer_all()
    run.refresh_from_db()
    assert run.status == "done"
    assert run.assets.count() == 1


def test_two_claims_never_take_the_same_job(bells):
    first = in_flight(make_run(planned("a", params=SLOW)))
    second = in_flight(make_run(planned("a", params=SLOW)))
    make_due(first)
    make_due(second)

    taken = [batches.claim_polls(1), batches.claim_polls(1), batches.claim_polls(1)]

    assert sorted(row.attempt_id for rows in taken for row in rows) == sorted([first.pk, second.pk])


@pytest.mark.usefixtures("worst_plans")
def test_no_more_is_claimed_than_was_asked_for_whatever_the_plan_is(bells):
    for _ in range(3):
        make_due(in_flight(make_run(planned("a", params=SLOW))))

    assert [len(batches.claim_polls(2)), len(batches.claim_polls(2))] == [2, 1]


def test_a_write_back_with_a_lost_lease_changes_nothing(bells):
    attempt = in_flight(make_run(planned("a", params=SLOW)))
    make_due(attempt)
    (slow,) = batches.claim_polls(1)
    Attempt.objects.update(lease_token=uuid4())

    batches.write_looks([batches.Look(slow, 5.0, progress=0.9)])

    attempt.refresh_from_db()
    assert attempt.progress != 0.9
    assert attempt.lease_token is not None


def test_a_bell_that_rings_during_a_poll_is_kept(bells):
    attempt = in_flight(make_run(planned("a", params=SLOW)))
    make_due(attempt)
    (leased,) = batches.claim_polls(1)
    Attempt.objects.update(due_at=Now())

    batches.write_looks([batches.Look(leased, 3600.0)])

    assert Attempt.objects.filter(due_at__lte=Now()).count() == 1


def test_a_canceled_attempt_is_not_settled_by_a_late_poll(bells):
    attempt = in_flight(make_run(planned("a", params=SLOW)))
    make_due(attempt)
    (leased,) = batches.claim_polls(1)
    Attempt.objects.update(status="canceling")

    moved = batches.begin_settling([leased])

    assert moved == []
    assert Attempt.objects.get().status == "canceling"


def test_a_lost_message_is_rung_again(bells):
    run = make_run(planned("a"))
    advance_run(run.pk)
    bells.waiting.clear()
    make_due(run.attempts.get(), rung_at=Now() - LATE)

    drain.run_cycle(window_s=0.1, job_name="test")
    bells.answer_all()

    run.refresh_from_db()
    assert run.status == "done"


def test_a_run_that_nobody_advanced_is_rung_again(bells):
    run = make_run(planned("a"))
    bells.waiting.clear()
    type(run).objects.update(due_at=Now() - LATE, rung_at=Now() - LATE)

    drain.run_cycle(window_s=0.1, job_name="test")
    bells.answer_all()

    run.refresh_from_db()
    assert run.status == "done"


def test_without_a_broker_the_drain_does_the_work_itself(bells):
    run = make_run(planned("a"), planned("b", "a"))
    bells.waiting.clear()
    bells.down = True
    for _ in range(6):
        type(run).objects.exclude(status="done").update(due_at=Now() - LATE, rung_at=None)
        Attempt.objects.exclude(due_at=None).update(due_at=Now() - LATE, rung_at=None)
        drain.run_cycle(window_s=0.3, job_name="test")

    run.refresh_from_db()
    assert run.status == "done"


def test_zap_drain_ends_after_the_work_that_it_does_itself(bells, monkeypatch):
    advance_run(make_run(planned("a")).pk)
    Attempt.objects.update(due_at=Now() - LATE, rung_at=None)
    bells.down = True
    returned, was_awaited = Event(), []
    monkeypatch.setattr(drain, "submit_attempt", lambda _: was_awaited.append(not returned.wait(1)))

    main(["drain", "--window", "0"])
    returned.set()

    assert was_awaited == [True]


def test_a_submission_whose_worker_died_is_unknown_and_waits_for_a_person(bells):
    run = make_run(planned("a", quote="0.5"))
    advance_run(run.pk)
    long_ago = dict.fromkeys(("due_at", "rung_at", "lease_until"), Now() - LATE)
    run.attempts.update(status="submitting", lease_token=uuid4(), **long_ago)

    drain.run_cycle(window_s=0.1, job_name="test")

    run.refresh_from_db()
    step = run.steps.get()
    assert run.attempts.get().status == "unknown"
    assert (step.status, step.wait_reason, step.error) == ("waiting", "submission_unknown", "SUBMISSION_UNKNOWN")
    assert (run.status, run.wait_reason) == ("waiting", "submission_unknown")
    assert run.reserved_usd == step.price_quote_usd


def test_a_cycle_leaves_a_row_that_says_what_it_did(bells):
    make_due(in_flight(make_run(planned("a", params=SLOW))))

    drain.run_cycle(window_s=0.4, job_name="drain")

    log = CronLog.objects.get()
    assert (log.job_name, log.status, log.processed_count, log.error_count) == ("drain", "success", 1, 0)
    assert log.end_time >= log.start_time
    assert log.duration >= 400


def test_a_cycle_that_breaks_is_logged_as_failed():
    with pytest.raises(RuntimeError), cron_logs.cycle("drain", at_most_s=5):
        raise RuntimeError

    log = CronLog.objects.get()
    assert (log.status, log.error_count) == ("failed", 1)
    assert log.end_time is not None


def test_a_cycle_whose_process_died_is_closed_by_the_next_one():
    CronLog.objects.create(job_name="drain", lease_until=Now() - LATE)

    with cron_logs.cycle("drain", at_most_s=5):
        pass

    orphan = CronLog.objects.earliest("pk")
    assert orphan.status == "failed"
    assert orphan.error.startswith("CYCLE_LOST")


def test_some_errors_make_a_cycle_partial(bells):
    with cron_logs.cycle("drain", at_most_s=5) as report:
        report.note(kind="poll")
        report.note_error("RATE_LIMITED: mock would not say how a job stands.")

    log = CronLog.objects.get()
    assert (log.status, log.processed_count, log.error_count) == ("partial", 1, 1)


def test_old_cycles_are_forgotten(settings):
    settings.ZAP_CRON_LOG_DAYS = 14
    CronLog.objects.create(job_name="drain", start_time=Now() - timedelta(days=15), lease_until=Now())
    CronLog.objects.create(job_name="drain", start_time=Now() - timedelta(days=13), lease_until=Now())

    deleted = cron_logs.prune()

    assert deleted == 1
    assert CronLog.objects.count() == 1


def test_a_cycle_ends_with_every_lease_given_back(bells):
    attempts = [in_flight(make_run(planned("a", params=SLOW))) for _ in range(12)]
    for attempt in attempts:
        make_due(attempt)
    begun = timezone.now()

    drain.run_cycle(window_s=0.3, job_name="test")

    assert Attempt.objects.exclude(lease_token=None).count() == 0
    assert Attempt.objects.filter(due_at__gt=begun).count() == 12


def test_a_cycle_ends_early_when_its_worker_shuts_down(bells, request):
    request.addfinalizer(POLLER.stopping.clear)
    POLLER.stopping.set()

    drain.run_cycle(window_s=3600, job_name="drain")

    assert CronLog.objects.get().status == "success"
