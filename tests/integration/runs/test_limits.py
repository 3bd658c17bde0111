"""One account at a provider: how much of it is used at once, and who goes first."""

from decimal import Decimal

import pytest

from runs import limits
from runs.models import Attempt, ProviderAccount
from runs.transitions.admission import _has_room
from tests.chaos.fal import PRICE, paid
from tests.integration.runs.life import let_pass, live, pass_and_ring, states, step_of

pytestmark = pytest.mark.django_db(transaction=True)

ACCOUNT = "env:fal"


def limit(**fields):
    ProviderAccount.objects.update_or_create(key=ACCOUNT, defaults={"provider": "fal", **fields})
    limits.forget()


def go_on(bells, seconds=5):
    limits.forget()
    pass_and_ring(seconds)
    bells.answer_all()


def test_an_account_is_known_once_something_was_sent_with_it(bells, fal):
    live(paid("a"))
    bells.answer_all()

    account = ProviderAccount.objects.get()

    assert (account.key, account.provider, account.jobs_in_flight) == (ACCOUNT, "fal", None)
    assert Attempt.objects.get().key_source == "operator"


def test_no_more_jobs_than_allowed_are_in_flight_and_the_others_say_why(bells, fal):
    fal.work_for(3600)
    limit(jobs_in_flight=2)
    runs = [live(paid("a")) for _ in range(3)]

    bells.answer_all()

    assert len(fal.bought()) == 2
    held = runs[2]
    assert states(held) == ("running", {"a": "running"})
    assert step_of(held).wait_reason == "provider_limit"
    assert list(held.events.filter(reason="provider_limit").values_list("type", flat=True)) == ["attempt.held_back"]
    go_on(bells)
    assert len(fal.bought()) == 2
    assert held.events.filter(reason="provider_limit").count() == 1


def test_a_small_tenant_is_next_behind_many_jobs_of_a_large_one(bells, fal, people, emulator):
    large, small = people
    fal.work_for(3600)
    limit(jobs_in_flight=3)
    for _ in range(12):
        live(paid("a"), owner=large)
    bells.answer_all()
    run = live(paid("a"), owner=small)
    bells.answer_all()
    assert len(fal.bought()) == 3
    done = Attempt.objects.filter(status="accepted").first()

    Attempt.objects.filter(pk=done.pk).update(status="failed", finished_at="2030-01-01T00:00:00Z", due_at=None)
    go_on(bells)

    assert run.attempts.get().status == "accepted"
    assert Attempt.objects.filter(tenant=large.pk, status="accepted").count() == 2


@pytest.mark.parametrize(
    ("tenant", "busy", "waiting", "jobs", "has_room"),
    [
        (1, {}, set(), 1, True),
        (1, {1: 1}, set(), 1, False),
        (1, {1: 3}, set(), 4, True),
        (1, {1: 2}, {1, 2}, 4, False),
        (2, {1: 2}, {1, 2}, 4, True),
        (2, {1: 3}, {1, 2}, 4, True),
        (1, {1: 1}, {1, 2}, 4, True),
        (1, {1: 2, 2: 2}, {1, 2}, 5, True),
        (1, {1: 1, 2: 1}, {3}, 3, False),
        (3, {1: 1, 2: 1}, {3}, 3, True),
    ],
)
def test_whoever_has_less_than_an_even_share_goes_first(tenant, busy, waiting, jobs, has_room):
    assert _has_room(tenant, busy, waiting, jobs) is has_room


def test_what_a_day_may_cost_holds_for_the_whole_account(bells, fal):
    limit(day_cap_usd=Decimal(PRICE) * Decimal("1.5"))
    first, second = live(paid("a")), live(paid("a"))

    bells.answer_all()

    assert states(first)[0] == "done"
    assert step_of(second).wait_reason == "budget"
    assert len(fal.bought()) == 1


def test_a_429_to_one_holds_everything_of_the_account_back(bells, fal):
    fal.fault("submit", "status", status=429, retry_after_s=30)
    live(paid("a"))
    bells.answer_all()
    other = live(paid("a"))

    bells.answer_all()

    assert step_of(other).wait_reason == "rate_limit"
    assert len(fal.bought()) == 0
    let_pass(60)
    ProviderAccount.objects.update(paused_until=None)
    go_on(bells)
    assert states(other)[0] == "done"


def test_submissions_of_an_account_keep_its_beat(bells, fal, broker):
    limit(requests_per_s=Decimal("0.05"))
    runs = [live(paid("a")) for _ in range(2)]

    bells.answer_all()

    assert len(fal.bought()) == 1
    assert step_of(runs[1]).wait_reason == "rate_limit"
