"""A provider that somebody else wrote may break, or go, while its jobs are at work: only they wait for it."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.db.models.functions import Now
from django.utils import timezone

from providers.adapters.mock import Mock
from providers.registry import PROVIDERS
from runs import info
from runs.engine import drain
from runs.engine.advance import advance_run
from runs.engine.cron_logs import CycleReport
from runs.models import Attempt
from tests.factories import make_run, planned
from tests.integration.runs.test_drain import LATE, SLOW, finished, in_flight, make_due

pytestmark = pytest.mark.django_db(transaction=True)


class Acme(Mock):
    """Somebody else's."""

    name = "acme"


class Cracked(Acme):
    """Breaks when it is set up for an address."""

    def __init__(self, *settings):
        super().__init__()
        if settings:
            raise ValueError("no such address")


class Clumsy(Acme):
    """Breaks over every request, before anything is asked for."""

    def submit(self, generation, *, key, idem_key, callback_url=None):
        raise KeyError("seconds")
        yield


class Mute(Acme):
    """Breaks over every answer."""

    def poll(self, job, *, key):
        raise KeyError("status")
        yield


@pytest.fixture
def acme(monkeypatch):
    monkeypatch.setitem(PROVIDERS.entries, "acme", Acme())


def two_jobs(bells):
    """One that the mock makes and one that acme makes; both are due."""
    ours, theirs = (in_flight(make_run(planned("a", provider=name, params=SLOW))) for name in ("mock", "acme"))
    bells.waiting.clear()
    make_due(ours, urls=finished(ours.urls))
    make_due(theirs, urls=finished(theirs.urls))
    return ours, theirs


def uninstall(monkeypatch):
    monkeypatch.delitem(PROVIDERS.entries, "acme")


def crack(monkeypatch):
    monkeypatch.setitem(PROVIDERS.entries, "acme", Cracked())
    monkeypatch.setenv("ACME_BASE_URL", "https://acme.example.com")


def mute(monkeypatch):
    monkeypatch.setitem(PROVIDERS.entries, "acme", Mute())


@pytest.mark.parametrize("breaks", [uninstall, crack, mute])
def test_the_jobs_of_a_provider_that_is_gone_or_broken_wait_for_it_and_stop_nobody(bells, acme, monkeypatch, breaks):
    ours, theirs = two_jobs(bells)
    begun = timezone.now()
    with monkeypatch.context() as meanwhile:
        breaks(meanwhile)

        drain.run_cycle(window_s=0.4, job_name="test")

        assert Attempt.objects.get(pk=ours.pk).status == "settling"
        assert Attempt.objects.filter(pk=theirs.pk, status="accepted", due_at__gt=begun, lease_until=None).exists()

    make_due(theirs)
    drain.run_cycle(window_s=0.4, job_name="test")

    bells.answer_all()
    assert set(Attempt.objects.values_list("status", flat=True)) == {"done"}


def test_a_submission_that_breaks_before_it_is_paid_fails_its_step_and_holds_no_money(bells, monkeypatch):
    monkeypatch.setitem(PROVIDERS.entries, "acme", Clumsy())
    run = make_run(planned("a", provider="acme", quote="0.5"), mode="live")
    advance_run(run.pk)

    bells.answer_all()

    run.refresh_from_db()
    attempt = run.attempts.get()
    assert (attempt.status, attempt.error) == ("failed", "SUBMISSION_PRECONDITION_FAILED")
    assert (run.status, run.reserved_usd, run.cost_usd) == ("failed", 0, 0)


def test_a_submission_that_was_lost_with_its_package_is_left_to_a_person(bells, acme, monkeypatch):
    run = make_run(planned("a", provider="acme", quote="0.5"), mode="live")
    advance_run(run.pk)
    long_ago = dict.fromkeys(("due_at", "rung_at", "lease_until"), Now() - LATE)
    run.attempts.update(status="submitting", lease_token=uuid4(), **long_ago)
    uninstall(monkeypatch)

    drain.ring_due(CycleReport())

    run.refresh_from_db()
    assert run.attempts.get().status == "unknown"
    assert (run.status, run.wait_reason, run.reserved_usd) == ("waiting", "submission_unknown", Decimal("0.5"))


def test_what_is_left_out_is_said_by_the_name_of_its_package(left_out):
    (one,) = info.gather(owner_id=0)["leftOut"]

    assert one == {"package": "zaps-acme 1.2", "name": "acme", "why": "It needs acme_sdk, which is missing."}
