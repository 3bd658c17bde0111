"""Nothing goes on for ever: what cannot succeed ends, with a code and a truthful cost."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from providers.contract import Job
from runs import policy
from runs.control import cancel_run
from runs.engine.advance import advance_run
from runs.engine.settle import settle_attempt
from runs.engine.submit import _answer_late, submission_unknown_of, submit_attempt
from runs.models import Attempt
from runs.transitions import alone
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = {"mock": {"latency_s": 3600}}
LATE = timedelta(seconds=60)
AGES = timedelta(seconds=policy.DEADLINE_S + 60)


def begun(*steps):
    run = make_run(*steps)
    advance_run(run.pk)
    return run, run.attempts.get()


def failing(code):
    return planned("a", quote="0.5", params={"mock": {"fail": code}})


def out_there(run, attempt):
    """The attempt as it stands while its request is out."""
    token = uuid4()
    alone.submitting(attempt, token)
    return token


def test_a_refused_request_fails_the_step_and_costs_nothing(bells):
    run, attempt = begun(failing("PROVIDER_REJECTED"))

    submit_attempt(attempt.pk)

    run.refresh_from_db()
    assert (run.status, run.error, run.cost_usd, run.reserved_usd) == ("failed", "PROVIDER_REJECTED", 0, 0)


def test_a_request_that_never_left_is_tried_again_later_and_says_why(bells):
    run, attempt = begun(failing("SUBMISSION_UNAVAILABLE"))
    before = timezone.now()

    submit_attempt(attempt.pk)

    attempt.refresh_from_db()
    assert (attempt.status, attempt.tries, attempt.error) == ("planned", 1, "SUBMISSION_UNAVAILABLE")
    assert run.steps.get().wait_reason == "backoff"
    assert attempt.due_at > before


def test_a_provider_that_limits_us_is_named_as_the_reason(bells):
    run, attempt = begun(failing("RATE_LIMITED"))

    submit_attempt(attempt.pk)

    assert run.steps.get().wait_reason == "rate_limit"


def test_an_attempt_that_is_not_due_yet_is_not_sent(bells):
    run, attempt = begun(planned("a"))
    Attempt.objects.update(due_at=Now() + LATE)

    submit_attempt(attempt.pk)

    assert run.attempts.get().status == "planned"


def test_a_request_that_never_leaves_fails_after_its_last_try(bells):
    run, attempt = begun(failing("SUBMISSION_UNAVAILABLE"))

    for _ in range(policy.SUBMIT_TRIES):
        Attempt.objects.update(due_at=Now())
        submit_attempt(attempt.pk)

    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "SUBMISSION_UNAVAILABLE")


def test_an_unknown_submission_waits_for_a_person_and_keeps_its_money(bells):
    run, attempt = begun(failing("SUBMISSION_UNKNOWN"), planned("b", "a"))

    submit_attempt(attempt.pk)

    run.refresh_from_db()
    assert (run.status, run.stage, run.wait_reason) == ("waiting", "review", "submission_unknown")
    assert run.reserved_usd == Decimal("0.5")
    assert dict(run.steps.values_list("step_id", "status")) == {"a": "waiting", "b": "queued"}


def test_an_unknown_submission_fails_where_the_recipe_says_so(bells):
    step = planned("a", quote="0.5", on_unknown="fail", params={"mock": {"fail": "SUBMISSION_UNKNOWN"}})
    run, attempt = begun(step, planned("b", "a"))

    submit_attempt(attempt.pk)

    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "SUBMISSION_UNKNOWN")
    assert run.reserved_usd == Decimal("0.5")
    assert run.attempts.get().status == "failed"


def test_the_submitters_own_late_answer_ends_the_waiting(bells):
    run, attempt = begun(planned("a", params=SLOW))
    out_there(run, attempt)
    Attempt.objects.update(lease_until=Now() - LATE)
    submission_unknown_of(attempt.pk)

    _answer_late(Attempt.objects.select_related("step").get(), Job(request_id="late", model="m"))

    run.refresh_from_db()
    assert run.attempts.get().status == "accepted"
    assert (run.status, run.steps.get().status, run.steps.get().error) == ("running", "running", "")


def test_a_late_answer_after_a_cancel_names_the_job_that_has_to_be_stopped(bells):
    run, attempt = begun(planned("a", params=SLOW))
    out_there(run, attempt)
    cancel_run(run.run_id, actor="user:1")

    alone.note_late_acceptance(attempt, request_id="late", urls={})

    attempt.refresh_from_db()
    assert (attempt.status, attempt.provider_request_id, attempt.lease_token) == ("canceling", "late", None)


def test_a_result_that_can_never_be_fetched_fails_and_is_paid_for(bells):
    run, attempt = begun(planned("a", quote="0.5", params=SLOW))
    submit_attempt(attempt.pk)
    Attempt.objects.update(status="settling", tries=policy.SETTLE_TRIES, lease_until=None, due_at=Now())

    settle_attempt(attempt.pk)

    run.refresh_from_db()
    assert (run.status, run.error) == ("failed", "OUTPUT_UNAVAILABLE")
    assert run.cost_usd == Decimal("0.5")
    assert run.reserved_usd == 0


def test_a_job_past_its_deadline_is_given_up_and_counts_as_delivered(bells):
    run, attempt = begun(planned("a", quote="0.5", params=SLOW))
    submit_attempt(attempt.pk)
    Attempt.objects.update(status="settling", tries=0, lease_until=None, due_at=Now())

    settle_attempt(attempt.pk)

    run.refresh_from_db()
    assert (run.status, run.error, run.cost_usd) == ("failed", "POLL_DEADLINE_EXCEEDED", Decimal("0.5"))


def test_a_canceled_job_that_never_ends_is_let_go_at_its_deadline(bells):
    run, attempt = begun(planned("a", quote="0.5", params=SLOW))
    submit_attempt(attempt.pk)
    cancel_run(run.run_id, actor="user:1")
    Attempt.objects.update(deadline_at=Now() - LATE)

    settle_attempt(attempt.pk)

    attempt.refresh_from_db()
    run.refresh_from_db()
    assert (attempt.status, attempt.cost_source) == ("canceled", "quoted")
    assert (run.cost_usd, run.reserved_usd) == (Decimal("0.5"), 0)


def test_a_canceled_submission_of_unknown_fate_keeps_its_money_for_ever(bells):
    run, attempt = begun(planned("a", quote="0.5", params=SLOW))
    out_there(run, attempt)
    cancel_run(run.run_id, actor="user:1")
    Attempt.objects.update(lease_until=None, submitted_at=Now() - AGES)

    settle_attempt(attempt.pk)

    run.refresh_from_db()
    assert run.attempts.get().status == "canceled"
    assert run.attempts.get().error == "SUBMISSION_UNKNOWN"
    assert run.reserved_usd == Decimal("0.5")
