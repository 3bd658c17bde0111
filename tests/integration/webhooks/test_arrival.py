"""A webhook that arrives as it should, and in every other order."""

from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import OperationalError
from django.db.models.functions import Now

from providers import http
from runs.control.cancel import cancel_run
from runs.engine import drain, submit, webhook
from runs.models import Attempt, Circuit, Webhook
from runs.transitions import batches, inbox
from tests.chaos.fal import paid
from tests.integration.runs.life import go_on, let_pass, live, states

pytestmark = pytest.mark.django_db(transaction=True)


def outcomes():
    return list(Webhook.objects.values_list("outcome", flat=True))


def test_a_webhook_makes_its_job_due_and_rings(vendor, at_work, bells):
    vendor.finish()

    assert vendor.answers() == [200]
    assert Attempt.objects.filter(due_at__lte=Now(), heard_at__isnull=False).count() == 1
    assert outcomes() == ["rung"]
    bells.answer_all()
    assert states(at_work) == ("done", {"a": "done"})


def test_only_a_poll_says_how_a_job_stands(vendor, at_work, bells):
    """The body says OK; the vendor, asked, says that it failed."""
    vendor.fal.fault("status", "status", status=200, body={"status": "COMPLETED", "error": "x"}, times=None)
    vendor.finish()
    vendor.answers()

    bells.answer_all()

    assert Attempt.objects.get().error == "PROVIDER_FAILED"


def test_a_lease_is_left_to_whoever_holds_it(vendor, at_work, bells):
    let_pass(60)
    (leased,) = batches.claim_polls(1)
    bells.waiting.clear()

    vendor.finish()
    vendor.answers()
    bells.answer_all()

    attempt = Attempt.objects.get()
    assert (attempt.lease_token, attempt.status) == (leased.token, "accepted")
    batches.write_looks([batches.Look(leased, 3600.0)])
    assert Attempt.objects.filter(due_at__lte=Now(), lease_token=None).count() == 1


def test_two_copies_ring_once(vendor, at_work, bells):
    vendor.wrongly("duplicate")
    vendor.finish()

    assert vendor.answers(2) == [200, 200]
    assert (outcomes(), len(bells.waiting)) == (["rung"], 1)


def test_a_replay_does_nothing(vendor, at_work, bells):
    vendor.wrongly("replay", delay_s=0)
    vendor.finish()
    vendor.answers(2)
    bells.answer_all()

    assert outcomes() == ["rung"]
    assert states(at_work) == ("done", {"a": "done"})


def test_a_late_one_finds_nothing_to_do(vendor, at_work, bells):
    vendor.wrongly("late", delay_s=5)
    vendor.finish()
    go_on(bells)
    assert states(at_work) == ("done", {"a": "done"})

    vendor.desk.clock.advance(5)

    assert vendor.answers() == [200]
    assert (outcomes(), bells.waiting) == (["late"], [])
    assert states(at_work) == ("done", {"a": "done"})


def test_jobs_may_be_called_about_in_any_order(vendor, bells):
    vendor.wrongly("late", delay_s=5)
    run = live(paid("a"), paid("b"))
    bells.answer_all()
    vendor.finish()
    assert vendor.answers() == [200]

    vendor.desk.clock.advance(5)

    assert vendor.answers(2) == [200, 200]
    bells.answer_all()
    assert states(run) == ("done", {"a": "done", "b": "done"})


def test_one_that_comes_before_its_submission_was_answered_is_remembered(vendor, bells):
    """The vendor is quicker than its own answer: 202, and the acceptance looks at once, as it always does."""
    vendor.desk.pace.run_s = 0
    vendor.fal.fault("submit", "slow", delay_s=3)
    run = live(paid("a"))

    bells.answer_all()

    assert vendor.answers() == [202]
    assert outcomes() == ["early"]
    assert states(run) == ("done", {"a": "done"})


def test_an_early_one_proves_a_submission_whose_answer_never_came(vendor, bells, monkeypatch):
    monkeypatch.setattr(submit, "http", SimpleNamespace(hold=impatient))
    vendor.desk.pace.run_s = 0
    vendor.fal.fault("submit", "slow", delay_s=3)
    run = live(paid("a"))

    bells.answer_all()

    assert (vendor.answers(), outcomes()) == ([202], ["early"])
    assert len(vendor.fal.bought()) == 1
    assert states(run) == ("done", {"a": "done"})
    assert not Circuit.objects.exists()


def test_an_early_one_proves_a_submission_whose_worker_died(vendor, bells, monkeypatch):
    run = live(paid("a"))
    vendor.desk.pace.run_s = 0
    monkeypatch.setattr(submit, "_write_down", die)
    with pytest.raises(Died):
        bells.answer_all()
    assert vendor.answers() == [202]

    go_on(bells, hop_s=120)

    assert states(run) == ("done", {"a": "done"})
    assert len(vendor.fal.bought()) == 1


def test_a_webhook_proves_a_submission_that_was_given_up_as_unknown(vendor, bells):
    vendor.fal.fault("submit", "drop_after")
    run = live(paid("a"))
    bells.answer_all()
    assert states(run) == ("waiting", {"a": "waiting"})

    vendor.finish()

    assert vendor.answers() == [200]
    assert outcomes() == ["proof"]
    bells.answer_all()
    assert states(run) == ("done", {"a": "done"})
    assert len(vendor.fal.bought()) == 1


def test_a_webhook_names_the_job_of_a_canceled_submission_so_that_it_is_billed_truly(vendor, bells):
    vendor.fal.fault("submit", "drop_after")
    run = live(paid("a"))
    bells.answer_all()
    cancel_run(run.run_id, actor="test")
    bells.waiting.clear()

    vendor.finish()
    assert vendor.answers() == [200]
    bells.answer_all()

    attempt = Attempt.objects.get()
    assert (outcomes(), attempt.status, attempt.provider_request_id != "") == (["proof"], "canceled", True)
    assert (attempt.cost_source, str(attempt.actual_usd)) == ("derived", "0.025000")
    assert states(run) == ("canceled", {"a": "canceled"})


def test_one_about_a_canceled_job_hastens_its_end(vendor, at_work, bells):
    vendor.fal.fault("cancel", "ignore", times=None)
    cancel_run(at_work.run_id, actor="test")
    bells.answer_all()
    assert Attempt.objects.get().status == "canceling"

    vendor.finish()
    assert vendor.answers() == [200]
    bells.answer_all()

    assert Attempt.objects.get().status == "canceled"
    assert states(at_work) == ("canceled", {"a": "canceled"})


def test_one_that_nobody_took_is_sent_again(vendor, at_work, bells, monkeypatch):
    """While the database is away the vendor is told to come back."""
    honest, times = webhook._named_by, []

    def away_once(*arguments):
        times.append(1)
        if len(times) == 1:
            raise OperationalError("gone")
        return honest(*arguments)

    monkeypatch.setattr(webhook, "_named_by", away_once)
    vendor.finish()

    assert vendor.answers(2) == [503, 200]
    assert outcomes() == ["rung"]


def test_with_every_webhook_dropped_nothing_but_time_is_lost(vendor, bells):
    vendor.wrongly("drop", times=None)
    run = live(paid("a"), paid("b", "a"))
    bells.answer_all()
    for _ in range(2):
        vendor.finish()
        go_on(bells, rounds=4)

    assert (outcomes(), states(run)) == ([], ("done", {"a": "done", "b": "done"}))
    assert len(vendor.fal.bought()) == 2


def test_a_job_that_is_called_about_is_polled_more_rarely(vendor, at_work, bells):
    Attempt.objects.update(polls=19)
    let_pass(100)

    drain.run_cycle(window_s=0.3, job_name="test")
    awaiting_s = batches.seconds_to_poll(Attempt.objects.get().pk)
    Attempt.objects.update(heard_at=Now(), polls=19)
    let_pass(100)
    drain.run_cycle(window_s=0.3, job_name="test")
    heard_s = batches.seconds_to_poll(Attempt.objects.get().pk)

    assert 50 < awaiting_s < 66
    assert 10 < heard_s < 17


def test_each_submission_has_an_address_of_its_own(vendor, bells):
    vendor.fal.fault("submit", "status", status=429)
    run = live(paid("a"))
    bells.answer_all()
    first = Attempt.objects.get().webhook_digest

    let_pass(60)
    submit.submit_attempt(run.attempts.get().pk)

    second = Attempt.objects.get().webhook_digest
    assert "" not in (first, second)
    assert first != second


@pytest.mark.parametrize(
    ("public", "loopback", "switch"),
    [
        ("", True, True),
        ("http://zaps.example", True, True),
        ("http://127.0.0.1:1", False, True),
        ("https://x.example", True, False),
    ],
)
def test_nobody_is_told_to_call_where_we_cannot_be_called(vendor, bells, settings, public, loopback, switch):
    settings.ZAP_PUBLIC_URL, settings.ZAP_ALLOW_LOOPBACK, settings.ZAP_WEBHOOKS = public, loopback, switch
    run = live(paid("a"))

    bells.answer_all()

    assert run.attempts.get().webhook_digest == ""
    vendor.finish()
    assert vendor.desk.postman._out == set()


class Died(BaseException):
    """The worker is gone."""


def die(*_):
    raise Died


def impatient(talk, **more):
    """A submission is waited for only so long."""
    return http.hold(talk, timeout_s=(2, 2), **more)


def test_what_nobody_repeats_any_more_is_forgotten(vendor, at_work, bells):
    vendor.finish()
    vendor.answers()
    assert inbox.prune() == 0

    Webhook.objects.update(received_at=Now() - timedelta(days=8))

    assert (inbox.prune(), Webhook.objects.count()) == (1, 0)
