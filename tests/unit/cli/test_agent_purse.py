"""What an agent may spend is counted here, whatever the model says."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.agent.purse import Allowance, Purse
from cli.faults import Fault, bad_input

CENTS = st.integers(0, 600).map(lambda cents: Decimal(cents) / 100)


def snapshot(run_id="run_a", *, status="running", cap=2.0, cost=0.0, reserved=0.0, mode="live"):
    run = {"runId": run_id, "status": status, "providerMode": mode}
    return {"run": {**run, "capUsd": cap, "costUsd": cost, "reservedUsd": reserved}}


class Shelf:
    """The runs as the server would show them."""

    def __init__(self, *snapshots):
        self.runs = {one["run"]["runId"]: one for one in snapshots}

    def look(self, run_id):
        if run_id not in self.runs:
            raise bad_input("NOT_FOUND", "There is no such run.")
        return self.runs[run_id]


def purse_of(total, call=None, shelf=None):
    call = total if call is None else call
    return Purse(Allowance(total_usd=Decimal(total), call_usd=Decimal(call)), look=(shelf or Shelf()).look)


def refusal(act, *args):
    with pytest.raises(Fault) as caught:
        act(*args)
    assert caught.value.document["remediation"]
    return caught.value.document["code"]


def test_without_leave_nothing_may_be_spent():
    purse = purse_of("0")

    assert refusal(purse.limit, 0.01) == "SPENDING_NOT_ALLOWED"
    assert refusal(purse.limit, None) == "SPENDING_NOT_ALLOWED"
    assert refusal(purse.cover, snapshot()) == "SPENDING_NOT_ALLOWED"


def test_one_call_may_commit_only_so_much():
    purse = purse_of("10", "2")

    assert purse.limit(None) == 2
    assert purse.limit(1.5) == Decimal("1.5")
    assert refusal(purse.limit, 2.01) == "SPEND_CALL_LIMIT"
    assert refusal(purse.hold, "order", Decimal("2.01")) == "SPEND_CALL_LIMIT"


def test_all_orders_together_stay_below_the_total():
    purse = purse_of("3", "2")
    purse.hold("one", Decimal(2))

    assert refusal(purse.hold, "two", Decimal("1.01")) == "SPEND_TOTAL_LIMIT"
    purse.hold("two", Decimal(1))
    assert purse.left_usd == 0


def test_an_order_that_was_refused_gives_its_money_back():
    purse = purse_of("2")
    purse.hold("one", Decimal(2))
    purse.give_back("one")

    assert purse.left_usd == 2


def test_of_a_run_that_has_ended_only_its_cost_counts_and_what_may_yet_be_billed():
    purse = purse_of("3", shelf=Shelf(snapshot(status="failed", cost=0.5, reserved=0.25)))
    purse.hold("one", Decimal(2))
    purse.begun("one", "run_a")

    purse.hold("two", Decimal("2.25"))

    assert purse.left_usd == 0


def test_a_run_that_has_ended_is_not_looked_at_again():
    shelf = Shelf(snapshot(status="done", cost=1.0))
    purse = purse_of("2", shelf=shelf)
    purse.hold("one", Decimal(2))
    purse.begun("one", "run_a")
    purse.hold("two", Decimal(1))
    shelf.runs["run_a"] = snapshot(status="done", cost=0.0)

    assert refusal(purse.hold, "three", Decimal(1)) == "SPEND_TOTAL_LIMIT"


def test_a_run_that_has_not_ended_keeps_its_whole_cap():
    purse = purse_of("3", shelf=Shelf(snapshot(status="waiting", cost=0.5)))
    purse.hold("one", Decimal(2))
    purse.begun("one", "run_a")

    assert refusal(purse.hold, "two", Decimal("1.5")) == "SPEND_TOTAL_LIMIT"


def test_a_run_that_cannot_be_seen_any_more_keeps_its_whole_cap():
    purse = purse_of("3")
    purse.hold("one", Decimal(2))
    purse.begun("one", "run_a")

    assert refusal(purse.hold, "two", Decimal("1.5")) == "SPEND_TOTAL_LIMIT"


def test_approving_our_own_run_commits_nothing_more():
    purse = purse_of("2")
    purse.hold("one", Decimal(2))
    purse.begun("one", "run_a")

    purse.cover(snapshot(status="waiting", cost=1.0))

    assert purse.left_usd == 0


def test_approving_a_run_whose_cap_a_person_raised_commits_the_rest():
    purse = purse_of("3", shelf=Shelf(snapshot(cap=2.5)))
    purse.hold("one", Decimal(2))
    purse.begun("one", "run_a")

    purse.cover(snapshot(status="waiting", cap=2.5))
    assert purse.left_usd == Decimal("0.5")
    assert refusal(purse.cover, snapshot(status="waiting", cap=4.0)) == "SPEND_TOTAL_LIMIT"


def test_approving_somebody_elses_live_run_commits_what_is_left_of_its_cap():
    shelf = Shelf()
    purse = purse_of("3", shelf=shelf)
    purse.cover(snapshot("run_b", status="waiting", cap=4.0, cost=1.5))
    assert purse.left_usd == Decimal("0.5")

    shelf.runs["run_b"] = snapshot("run_b", status="done", cap=4.0, cost=1.75)
    purse.hold("one", Decimal("2.75"))

    assert purse.left_usd == 0


def test_approving_a_free_run_needs_no_leave():
    purse_of("0").cover(snapshot(mode="mock"))


def test_a_run_that_had_ended_and_was_opened_again_is_committed_again():
    shelf = Shelf(snapshot(status="failed", cost=0.5))
    purse = purse_of("3", shelf=shelf)
    purse.hold("one", Decimal(2))
    purse.begun("one", "run_a")
    purse.hold("two", Decimal("1.5"))  # found that the first has ended

    assert purse.left_usd == Decimal("1")
    assert refusal(purse.cover, snapshot(status="waiting", cost=0.5)) == "SPEND_TOTAL_LIMIT"


@given(
    total=CENTS, call=CENTS, orders=st.lists(st.tuples(CENTS, st.sampled_from(["run", "refused", "lost"])), max_size=8)
)
def test_whatever_is_ordered_the_total_is_never_committed_twice(total, call, orders):
    purse = purse_of(total, min(call, total))
    committed = Decimal(0)

    for number, (usd, fate) in enumerate(orders):
        try:
            purse.hold(f"order {number}", usd)
        except Fault:
            continue
        assert usd <= call
        if fate == "refused":
            purse.give_back(f"order {number}")
            continue
        committed += usd
        if fate == "run" and usd:
            purse.begun(f"order {number}", f"run_{number}")

    assert committed <= total
    assert purse.left_usd == total - committed
