"""Many ask for the same money in the same moment: what there is for is granted, and not a cent more."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from django.contrib.auth import get_user_model
from django.db import connection

from core.errors import Conflict, OverBudget
from runs import control
from runs.budgets import DayOverBudget, OwnerDayOverBudget, OwnerOverBudget
from runs.engine.advance import advance_run
from runs.engine.submit import submit_attempt
from runs.models import Allowance, Attempt, Budget, LedgerEntry, Run
from tests.chaos.truth import assert_true_to_itself, facts_of
from tests.factories import make_run, planned
from tests.stateful.watch import assert_budgets_are_the_sums
from zaps.planned import Gate, Retrying

pytestmark = pytest.mark.django_db(transaction=True)

MANY = 20
EACH = Decimal("0.25")
CAP = Decimal(2)
AFFORDABLE = 8
FAILING = {"mock": {"fail": "DEADLINE_EXCEEDED"}}  # says nothing about the provider, so no circuit opens


def at_once(*asked):
    """What came of calling all of them in the same moment, each on a thread and a connection of its own."""
    together = Barrier(len(asked))

    def call(one):
        try:
            together.wait(timeout=60)
            return one()
        except (OverBudget, Conflict) as exc:
            return exc
        finally:
            connection.close()

    with ThreadPoolExecutor(len(asked)) as threads:
        return list(threads.map(call, asked))


def person(name, **allowed):
    owner = get_user_model().objects.create_user(username=name)
    if allowed:
        Allowance.objects.create(owner=owner, **allowed)
    return owner


def costly(owner=None, **fields):
    return lambda: make_run(planned("a", quote=str(EACH), **fields), owner=owner, mode="live")


def allow(usd):
    """From now on. Returns the newest entry of the ledger."""
    Allowance.objects.update(cap_usd=usd)
    return LedgerEntry.objects.latest("pk").pk


def assert_just_affordable(answers, refusal, *, after=0):
    """As many were granted as there is money for, and every other one was told the whole sum."""
    refused = [answer for answer in answers if isinstance(answer, OverBudget)]
    assert len(answers) - len(refused) == AFFORDABLE
    for one in refused:
        assert type(one) is refusal
        told = {name: one.extra[name] for name in ("capUsd", "reservedUsd", "spentUsd", "quoteUsd")}
        assert told == {"capUsd": 2.0, "reservedUsd": 2.0, "spentUsd": 0.0, "quoteUsd": 0.25}
        assert [step["firstUsd"] for step in one.extra["steps"]] == [0.25]
    assert_books_are_right(after=after)


def assert_books_are_right(*, after=0):
    every = facts_of()
    for facts in every:
        assert_true_to_itself(facts)
    assert_budgets_are_the_sums(every, after=after)


def test_runs_that_begin_at_once_share_what_their_owner_may_spend(bells):
    owner = person("eva", cap_usd=CAP)

    answers = at_once(*[costly(owner)] * MANY)

    assert_just_affordable(answers, OwnerOverBudget)
    assert Budget.objects.get(key=f"owner:{owner.pk}").reserved_usd == CAP


def test_runs_that_begin_at_once_share_their_owners_day(bells):
    owner = person("eva", day_cap_usd=CAP)

    answers = at_once(*[costly(owner)] * MANY)

    assert_just_affordable(answers, OwnerDayOverBudget)


def test_runs_of_many_owners_that_begin_at_once_share_the_day(bells, settings):
    settings.ZAP_DAY_CAP_USD = CAP
    owners = [person(f"owner-{number}") for number in range(MANY - 1)]

    answers = at_once(*[costly(owner) for owner in (*owners, None)])

    assert_just_affordable(answers, DayOverBudget)
    assert Budget.objects.get(owner=None).reserved_usd == CAP


def test_a_refused_run_leaves_nothing_behind(bells):
    owner = person("eva", cap_usd=CAP)

    at_once(*[costly(owner)] * MANY)

    assert Run.objects.count() == AFFORDABLE
    assert LedgerEntry.objects.count() == AFFORDABLE
    assert len(bells.waiting) == AFFORDABLE


def test_steps_of_one_run_that_are_retried_at_once_share_its_cap(bells):
    names = [f"step_{number}" for number in range(MANY)]
    steps = [planned(name, quote=str(EACH), gate=Gate()) for name in names]
    run = make_run(*steps, cap="6", mode="live")
    bells.answer_all()
    Run.objects.update(cap_usd=CAP)

    answers = at_once(*[retrying(run, step_id=name) for name in names])

    assert_just_affordable(answers, OverBudget)
    assert Attempt.objects.filter(round=2).count() == AFFORDABLE


def test_runs_that_are_retried_at_once_share_what_their_owner_may_spend(bells):
    owner = person("eva", cap_usd=Decimal(MANY))
    runs = [costly(owner, params=FAILING)() for _ in range(MANY)]
    bells.answer_all()
    before = allow(CAP)

    answers = at_once(*[retrying(run) for run in runs])

    assert_just_affordable(answers, OwnerOverBudget, after=before)


def test_runs_that_are_made_again_at_once_share_what_their_owner_may_spend(bells):
    owner = person("eva", cap_usd=Decimal(MANY))
    runs = [costly(owner)() for _ in range(MANY)]
    bells.answer_all()
    before = allow(CAP)

    answers = at_once(*[lambda run=run: control.rerun_from(run.run_id, "a", actor="user:1") for run in runs])

    assert_just_affordable(answers, OwnerOverBudget, after=before)


def test_runs_that_begin_and_runs_that_go_on_share_what_their_owner_may_spend(bells):
    owner = person("eva", cap_usd=Decimal(MANY))
    runs = [costly(owner, params=FAILING)() for _ in range(MANY // 2)]
    bells.answer_all()
    before = allow(CAP)

    answers = at_once(*[costly(owner)] * (MANY // 2), *[retrying(run) for run in runs])

    assert_just_affordable(answers, OwnerOverBudget, after=before)


def test_attempts_that_fail_at_once_try_again_with_the_money_that_they_give_back(bells):
    owner = person("eva", cap_usd=CAP)
    runs = [costly(owner, params=FAILING, retry=Retrying(max=1))() for _ in range(AFFORDABLE)]
    for run in runs:
        advance_run(run.pk)

    at_once(*[lambda one=one: submit_attempt(one.pk) for one in Attempt.objects.all()])

    assert Attempt.objects.filter(number=2).count() == AFFORDABLE
    assert_books_are_right()


def retrying(run, **said):
    return lambda: control.retry_run(run.run_id, actor="user:1", **said)
