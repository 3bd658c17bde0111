"""What is wrong with a webhook on its way to us, and the other vendors' webhooks, through the whole engine."""

import threading
from decimal import Decimal

import pytest
from django.db import connection, transaction
from django.db.models.functions import Now

from providers.emulator.openrouter import WEBHOOK_SECRET
from providers.registry import provider
from runs.models import Attempt, ProviderAccount, Webhook
from runs.transitions import inbox
from tests.factories import planned
from tests.integration.runs.life import live, states
from tests.integration.webhooks.conftest import Caller
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def facts():
    return list(Attempt.objects.values_list("status", "due_at", "heard_at", "lease_token", "polls"))


@pytest.mark.parametrize(
    ("fault", "status"), [("forged", 401), ("wrong_key", 401), ("unsigned", 401), ("stale", 401), ("huge", 413)]
)
def test_what_must_not_be_believed_changes_nothing_and_the_poll_finds_the_job(vendor, at_work, bells, fault, status):
    before = facts()
    vendor.wrongly(fault)
    vendor.finish()

    assert vendor.answers() == [status]
    assert (facts(), bells.waiting, Webhook.objects.count()) == (before, [], 0)


@pytest.mark.parametrize("fault", ["slow", "rotate"])
def test_what_is_only_odd_is_taken(vendor, at_work, bells, fault):
    vendor.wrongly(fault, delay_s=0.1)
    vendor.finish()

    assert vendor.answers() == [200]
    bells.answer_all()
    assert states(at_work) == ("done", {"a": "done"})


def test_it_waits_for_a_row_that_is_being_written_and_then_rings(vendor, at_work, bells):
    """A poller holds the row while the webhook comes in: what it writes back is not lost, and neither is the bell."""
    with transaction.atomic():
        Attempt.objects.select_for_update().get()
        vendor.finish()
        wait_until(is_waited_for)
        Attempt.objects.update(polls=7)

    assert vendor.answers() == [200]
    attempt = Attempt.objects.get(due_at__lte=Now())
    assert (attempt.polls, attempt.heard_at is None) == (7, False)


def is_waited_for():
    """Does another connection wait for a lock?"""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0] > 0


def test_of_two_copies_at_the_same_moment_one_rings(vendor, at_work, bells):
    attempt = Attempt.objects.get()
    note = inbox.Note(attempt_id=attempt.pk, provider="fal", event_id="evt", request_id=attempt.provider_request_id)
    begin, rang = threading.Barrier(4), []

    def ring():
        begin.wait(10)
        rang.append(inbox.ring(note))
        connection.close()

    threads = [threading.Thread(target=ring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(rang) == [False, False, False, True]


VENDORS = {
    "openrouter": ("OPENROUTER_API_KEY", "video.gen", {"duration_s": Decimal(4)}),
    "replicate": ("REPLICATE_API_TOKEN", "image.gen", {}),
    "runware": ("RUNWARE_API_KEY", "image.gen", {}),
}


@pytest.mark.parametrize("name", VENDORS)
@pytest.mark.parametrize("fault", ["", "drop_after"])
def test_every_vendor_that_calls_is_heard_and_its_word_is_proof(name, fault, vendor, bells, emulator, monkeypatch):
    variable, kind, fields = VENDORS[name]
    monkeypatch.setenv(variable, "a-key")
    monkeypatch.setenv(f"{name.upper()}_BASE_URL", emulator.urls[name])
    monkeypatch.setenv("OPENROUTER_WEBHOOK_SECRET", WEBHOOK_SECRET)
    caller = Caller(emulator.desks[name])
    if fault:
        caller.desk.plan.add({"on": "submit", "do": fault})
    model = provider(name).default_model(kind)
    run = live(planned("a", provider=name, model=model, kind=kind, quote="0.5", inputs=(), **fields))
    bells.answer_all()

    caller.finish()

    assert caller.answers() == [200]
    assert [one.outcome for one in Webhook.objects.all()] == [
        "proof" if fault and not provider(name).supports_recover else "rung"
    ]
    bells.answer_all()
    assert states(run) == ("done", {"a": "done"})
    assert len(caller.desk.journal.accepted()) == 1


USER = "providers.emulator.fal_jobs._USER"


def account():
    return ProviderAccount.objects.get(provider="fal")


def test_the_first_webhook_about_a_job_of_ours_tells_for_whom_the_others_must_be(vendor, at_work, bells, monkeypatch):
    monkeypatch.setattr(USER, "auth0|we")
    vendor.finish()

    assert vendor.answers() == [200]
    assert account().webhook_sender == "auth0|we"


def test_what_is_signed_for_another_customer_changes_nothing(vendor, at_work, bells, monkeypatch):
    ProviderAccount.objects.filter(pk=account().pk).update(webhook_sender="auth0|we")
    monkeypatch.setattr(USER, "auth0|mallory")
    before = facts()
    vendor.finish()

    assert vendor.answers() == [401]
    assert (facts(), bells.waiting, Webhook.objects.count()) == (before, [], 0)
    assert account().webhook_sender == "auth0|we"


@pytest.mark.parametrize(("known", "status", "step"), [("auth0|we", 401, "waiting"), ("", 200, "done")])
def test_nobody_else_can_prove_a_job_of_ours(vendor, bells, monkeypatch, known, status, step):
    """Whose address it is, they would have to know; but fal would sign it for any customer."""
    vendor.fal.fault("submit", "drop_after")
    run = live(planned("a", provider="fal", model="fal-ai/flux/dev", quote="0.025", inputs=()))
    bells.answer_all()
    ProviderAccount.objects.update(webhook_sender=known)
    vendor.finish()

    assert vendor.answers() == [status]
    bells.answer_all()
    assert states(run)[1] == {"a": step}


def test_one_about_another_job_tells_nothing_of_who_we_are(vendor, at_work, bells):
    Attempt.objects.update(provider_request_id="somebody-elses")
    vendor.finish()

    assert vendor.answers() == [404]
    assert account().webhook_sender == ""
