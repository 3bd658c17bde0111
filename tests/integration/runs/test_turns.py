"""A tenant who orders a thousand things must not keep another's one thing waiting."""

from decimal import Decimal

import pytest

from runs import policy
from runs.engine.advance import advance_run
from runs.engine.render import render_attempt
from runs.engine.submit import submit_attempt
from runs.models import Attempt, Run
from runs.transitions import bells as turns
from tests.factories import make_run, planned
from tests.integration.runs.life import let_pass
from zaps.planned import Retrying

pytestmark = pytest.mark.django_db(transaction=True)

FAIR = 5
FAILS = {"mock": {"fail": "JOB_LOST"}}


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch):
    """What holds for twenty holds for five."""
    monkeypatch.setitem(turns._PARAMETERS, "fair", FAIR)


def rung(bells, verb=submit_attempt):
    """The tenants of the attempts that workers were told of, in order."""
    tenants = dict(Attempt.objects.values_list("pk", "tenant"))
    return [tenants[pk] for each, pk in bells.waiting if each is verb]


def wide(count):
    """Steps that can all begin at once."""
    return [planned(f"s{n}") for n in range(count)]


def test_of_many_submissions_of_one_tenant_few_are_told_of_at_once(bells, people):
    large, small = people
    bells.waiting.clear()
    advance_run(make_run(*wide(40), owner=large).pk)
    advance_run(make_run(planned("a"), owner=small).pk)

    assert rung(bells) == [large.pk] * FAIR + [small.pk]
    assert Attempt.objects.filter(tenant=large.pk, status="planned", rung_at=None).count() == 40 - FAIR


def test_the_next_are_told_of_as_those_before_them_are_taken_up(bells, people):
    advance_run(make_run(*wide(12), owner=people[0]).pk)
    order = list(Attempt.objects.order_by("pk").values_list("pk", flat=True))
    assert turns.claim_bells(500) == []

    for pk in order[:2]:
        submit_attempt(pk)

    assert [bell.attempt_id for bell in turns.claim_bells(500)] == order[5:7]
    assert turns.claim_bells(500) == []


def test_a_message_that_nobody_took_up_counts_as_lost_after_a_while(bells, people):
    advance_run(make_run(*wide(12), owner=people[0]).pk)
    let_pass(policy.BELL_AGAIN_S + 1)

    again = turns.claim_bells(500)

    assert [bell.attempt_id for bell in again] == list(Attempt.objects.order_by("pk").values_list("pk", flat=True))[
        :FAIR
    ]


def test_every_tenant_has_a_turn_before_anybody_has_a_second_one(bells, people):
    large, small = people
    for owner, count in ((large, 20), (small, 3)):
        advance_run(make_run(*wide(count), owner=owner).pk)
    Attempt.objects.update(rung_at=None)

    first = turns.claim_bells(4)

    tenants = dict(Attempt.objects.values_list("pk", "tenant"))
    assert sorted(tenants[bell.attempt_id] for bell in first) == sorted([large.pk, small.pk] * 2)


def test_of_many_new_runs_of_one_owner_few_are_told_of_at_once(bells, people):
    large, small = people
    crowd = [make_run(planned("a"), owner=large).pk for _ in range(12)]
    one = make_run(planned("a"), owner=small).pk
    nobodys = [make_run(planned("a")).pk for _ in range(7)]

    assert [pk for _, pk in bells.waiting] == [*crowd[:FAIR], one, *nobodys[:FAIR]]
    assert turns.claim_due_runs(500) == []
    advance_run(crowd[0])
    assert turns.claim_due_runs(500) == [crowd[FAIR]]


def test_all_of_it_is_done_in_the_end(bells, people):
    crowd = [make_run(*wide(3), owner=people[0]).pk for _ in range(12)]

    for _ in range(60):
        bells.answer_all()
        for bell in turns.claim_bells(500):
            submit_attempt(bell.attempt_id)
        for pk in turns.claim_due_runs(500):
            advance_run(pk)

    assert set(Run.objects.filter(pk__in=crowd).values_list("status", flat=True)) == {"done"}


def test_what_an_account_holds_back_does_not_hold_back_the_same_tenants_other_work(bells, people):
    advance_run(make_run(*wide(12), owner=people[0]).pk)
    Attempt.objects.update(account="full", rung_at=None)
    assert len(turns.claim_bells(500)) == FAIR

    bells.waiting.clear()
    advance_run(make_run(planned("a"), owner=people[0]).pk)

    assert rung(bells) == [people[0].pk]


def test_renders_and_submissions_do_not_wait_for_each_other(bells, people):
    owner = people[0]
    advance_run(make_run(*wide(12), owner=owner).pk)
    bells.waiting.clear()

    advance_run(make_run(planned("film", kind="stitch", inputs=()), owner=owner).pk)

    assert bells.waiting[1:] == [(render_attempt, Attempt.objects.latest("pk").pk)]


def test_a_retry_that_has_to_wait_is_told_of_when_it_is_due(bells, people):
    run = make_run(planned("a", params=FAILS, retry=Retrying(max=1, backoff_s=Decimal(30))), owner=people[0])
    bells.answer_all()
    second = run.attempts.get(number=2)

    assert second.rung_at is None
    assert turns.claim_bells(500) == []
    let_pass(31)
    assert [bell.attempt_id for bell in turns.claim_bells(500)] == [second.pk]
