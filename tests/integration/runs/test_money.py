"""Money: what is held, what is spent, what a vendor bills too much, and what waits for it."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import Sum

from core.errors import OverBudget
from runs import control, policy
from runs.budgets import DayOverBudget, OwnerDayOverBudget, OwnerOverBudget
from runs.engine.advance import advance_run
from runs.models import Allowance, Budget, LedgerEntry, Run
from tests.chaos.fal import paid
from tests.factories import planned
from tests.integration.runs.life import USD, attempts_of, check, go_on, live, pass_and_ring, states, step_of
from zaps.planned import Retrying

pytestmark = pytest.mark.django_db(transaction=True)

CENT = Decimal("0.01")
BROKEN = {"do": "infra_error", "type": "runner_server_error"}


@pytest.fixture
def eva(django_user_model):
    return django_user_model.objects.create(username="eva")


def cheap(step_id, *parents, **fields):
    """A step whose vendor bills 0.025 and not the 0.01 that it said."""
    step = paid(step_id, *parents, **fields)
    return type(step)(**{**{name: getattr(step, name) for name in step.__slots__}, "quote_usd": CENT})


def ledger(run, kind):
    found = LedgerEntry.objects.filter(run_id=run.run_id, kind=kind).aggregate(usd=Sum("usd"))["usd"]
    return found or Decimal(0)


def test_the_cost_is_what_the_vendor_billed_and_its_source_is_kept(bells, fal):
    run = live(paid("a"), paid("b", "a"))

    go_on(bells)

    assert states(run)[0] == "done"
    assert {one.cost_source for one in run.attempts.all()} == {"derived"}
    assert (run.cost_usd, run.reserved_usd) == (2 * USD, 0)
    assert (ledger(run, "reserved"), ledger(run, "released"), ledger(run, "spent")) == (2 * USD, 2 * USD, 2 * USD)


def test_every_sum_counts_the_same(bells, fal, eva):
    run = live(paid("a", candidates=2), paid("b", "a"), owner=eva)
    sums = Budget.objects.order_by("key")
    assert [(one.reserved_usd, one.spent_usd) for one in sums] == [(3 * USD, 0)] * 3

    go_on(bells)

    assert [(one.reserved_usd, one.spent_usd) for one in sums.all()] == [(0, 3 * USD)] * 3
    assert states(run)[0] == "done"


def test_a_bill_above_the_cap_is_on_record_and_what_costs_money_waits(bells, fal):
    run = live(cheap("a"), cheap("b", "a"), planned("c", "a"), cap="0.02")

    go_on(bells)

    assert states(run) == ("waiting", {"a": "done", "b": "waiting", "c": "done"})
    assert (run.cost_usd, run.wait_reason) == (USD, "budget")
    assert (step_of(run, "b").wait_reason, step_of(run, "b").error) == ("budget", "BUDGET_EXCEEDED")
    assert ledger(run, "overshoot") == USD - CENT
    assert len(fal.bought()) == 1


def test_a_higher_cap_lets_it_go_on(bells, fal):
    run = live(cheap("a"), cheap("b", "a"), planned("c", "b"), cap="0.02")
    go_on(bells)

    with pytest.raises(OverBudget):
        control.resume_run(run.run_id, actor="eva")
    control.resume_run(run.run_id, actor="eva", max_usd=Decimal("0.05"))
    go_on(bells)

    assert states(run) == ("done", {"a": "done", "b": "done", "c": "done"})
    assert (run.wait_reason, step_of(run, "b").error, run.cost_usd) == (None, "", 2 * USD)


def test_what_was_planned_before_the_bill_came_is_not_sent_after_it(bells, fal):
    run = live(cheap("a"), cheap("b"), cap="0.02")

    go_on(bells)

    assert states(run) == ("waiting", {"a": "done", "b": "waiting"})
    assert len(fal.bought()) == 1
    control.resume_run(run.run_id, actor="eva", max_usd=Decimal(1))
    go_on(bells)
    assert states(run)[0] == "done"


def test_a_higher_cap_helps_a_step_that_waits_beside_one_that_is_at_work(bells, fal):
    slow = planned("c", params={"mock": {"latency_s": 3600}})
    run = live(cheap("a"), cheap("b", "a"), slow, cap="0.02")
    go_on(bells, rounds=3)
    assert states(run) == ("running", {"a": "done", "b": "waiting", "c": "running"})

    control.resume_run(run.run_id, actor="eva", max_usd=Decimal(1))
    go_on(bells, rounds=3)

    assert states(run)[1] == {"a": "done", "b": "done", "c": "running"}


def test_a_bill_within_the_cap_is_no_overshoot(bells, fal):
    run = live(cheap("a"), cap="1")

    go_on(bells)

    assert (states(run)[0], ledger(run, "overshoot"), run.cost_usd) == ("done", 0, USD)


def test_a_refusal_breaks_the_sum_down(eva, settings):
    with pytest.raises(OverBudget) as refused:
        live(paid("a", candidates=2), paid("b"), owner=eva, cap="0.05")

    assert refused.value.extra == {
        "quoteUsd": 0.075,
        "capUsd": 0.05,
        "spentUsd": 0.0,
        "reservedUsd": 0.0,
        "steps": [
            {"stepId": "a", "model": "fal-ai/flux/dev", "firstUsd": 0.05},
            {"stepId": "b", "model": "fal-ai/flux/dev", "firstUsd": 0.025},
        ],
    }
    assert not Run.objects.exists()


def test_a_refusal_by_the_owners_sum_names_no_day(eva):
    Allowance.objects.create(owner=eva, cap_usd=CENT)

    with pytest.raises(OwnerOverBudget) as refused:
        live(paid("a"), owner=eva)

    assert refused.value.extra["capUsd"] == 0.01
    assert "day" not in refused.value.extra


@pytest.mark.parametrize(
    ("setting", "refusal"), [("ZAP_OWNER_DAY_CAP_USD", OwnerDayOverBudget), ("ZAP_DAY_CAP_USD", DayOverBudget)]
)
def test_a_further_try_waits_for_the_next_day(bells, fal, eva, settings, setting, refusal):
    fal.fault("submit", "model_error", type="downstream_service_error", status=500, retryable=True)
    run = live(paid("a", retry=Retrying(max=1, fallback_model="fal-ai/flux/dev", fallback_usd=USD)), owner=eva)
    setattr(settings, setting, CENT)

    go_on(bells)

    step = step_of(run)
    assert states(run) == ("waiting", {"a": "waiting"})
    assert (step.wait_reason, step.error) == ("budget", refusal.code)
    assert step.due_at is not None

    pass_and_ring(policy.BUDGET_AGAIN_S + 5)
    bells.answer_all()
    assert states(run)[0] == "waiting"
    assert run.due_at is not None

    setattr(settings, setting, None)  # the new day's budget
    pass_and_ring(policy.BUDGET_AGAIN_S + 5)
    go_on(bells)
    assert states(run) == ("done", {"a": "done"})
    assert (step_of(run).wait_reason, step_of(run).error) == (None, "")


def test_a_further_try_within_the_owners_sum_is_made(bells, fal, eva):
    fal.fault("submit", **BROKEN)
    Allowance.objects.create(owner=eva, cap_usd=USD)
    run = live(paid("a", retry=Retrying(max=1)), owner=eva)

    go_on(bells)

    assert states(run)[0] == "done"


def test_money_counts_towards_the_day_on_which_it_was_held(bells, fal, eva):
    run = live(paid("a"), owner=eva)
    today = step_of(run).reserved_on
    yesterday = today - timedelta(days=1)
    run.steps.update(reserved_on=yesterday)
    for old, new in ((f"day:{today}", f"day:{yesterday}"), (f"owner:{eva.pk}:{today}", f"owner:{eva.pk}:{yesterday}")):
        Budget.objects.filter(key=old).update(key=new, day=yesterday)

    go_on(bells)

    spent = dict(Budget.objects.exclude(day=None).values_list("key", "spent_usd"))
    assert spent == {f"day:{yesterday}": USD, f"owner:{eva.pk}:{yesterday}": USD}
    assert not Budget.objects.exclude(reserved_usd=0).exists()


def test_a_cancel_while_candidates_are_at_work_bills_what_the_vendor_bills(bells, emulator, fal, eva):
    fal.work_for(3600)
    run = live(paid("a", candidates=3), paid("b", "a"), owner=eva)
    advance_run(run.pk)
    bells.waiting = bells.waiting[-3:]
    bells.answer()
    bells.answer()  # the third is not sent yet
    fal.fault("cancel", "ignore")

    control.cancel_run(run.run_id, actor="eva")
    bells.waiting = bells.waiting[1:]
    bells.answer_all()
    assert states(run)[0] == "canceled"
    assert [one.status for one in attempts_of(run)] == ["canceling", "canceled", "canceled"]
    assert run.reserved_usd == USD

    emulator.desks["fal"].clock.advance(3600)
    for _ in range(5):
        pass_and_ring(60)
        bells.answer_all()
    assert [one.status for one in attempts_of(run)] == ["canceled"] * 3
    states(run)
    assert (run.cost_usd, run.reserved_usd) == (USD, 0)
    assert run.assets.count() == 0
    assert [(one.reserved_usd, one.spent_usd) for one in Budget.objects.all()] == [(0, USD)] * 3


def test_nothing_is_left_held_whatever_becomes_of_a_run(bells, fal):
    for do in ("reject", "model_error", "infra_error", "no_output"):
        fal.fault("submit", do)
        live(paid("a", retry=Retrying(max=1)), paid("b", "a"))
        go_on(bells)
    check()

    assert not Run.objects.exclude(reserved_usd=0).exists()
    assert not Budget.objects.exclude(reserved_usd=0).exists()
