"""Judges: what they let pass, what they do not, and what they cost."""

from decimal import Decimal

import pytest

from runs import control, policy
from runs.engine.settle import settle_attempt
from runs.models import Feedback
from tests.chaos.fal import paid
from tests.integration.runs.life import (
    LOOK,
    USD,
    attempts_of,
    check,
    go_on,
    judging,
    let_pass,
    live,
    states,
    step_of,
)
from zaps.planned import Gate, Retrying

pytestmark = pytest.mark.django_db(transaction=True)

COST = Decimal(LOOK)


def scores(run):
    """What the model said, oldest first."""
    rows = Feedback.objects.filter(run=run, kind="judge_score", rater="vlm").order_by("pk")
    return [row.scores["overall"] for row in rows]


def test_a_result_that_is_liked_passes_and_the_look_is_paid_for(bells, fal, judge):
    judge.says(0.9)
    run = live(paid("a", judge=judging()))

    go_on(bells)

    assert states(run) == ("done", {"a": "done"})
    made, looked = attempts_of(run)
    assert (looked.role, looked.status, looked.actual_usd) == ("judge", "done", COST)
    assert run.cost_usd == made.actual_usd + looked.actual_usd == USD + COST
    assert run.reserved_usd == 0
    row = Feedback.objects.get(run=run, rater="vlm")
    assert (row.kind, row.scores["overall"], row.scores["passed"], row.asset.attempt_id) == (
        "judge_score", 0.9, True, made.pk,
    )  # fmt: skip


def test_what_the_recipe_wants_looked_at_is_held_before_anything_begins(bells, fal, judge):
    run = live(paid("a", candidates=2, judge=judging()))

    assert run.reserved_usd == 2 * (USD + COST)
    check(run)


def test_the_best_of_all_candidates_is_chosen(bells, fal, judge):
    judge.says(0.75, 0.95, 0.85)
    run = live(paid("a", candidates=3, judge=judging()))

    go_on(bells)

    assert states(run)[0] == "done"
    assert step_of(run).chosen == attempts_of(run)[1]
    assert sorted(scores(run)) == [0.75, 0.85, 0.95]
    assert run.cost_usd == 3 * (USD + COST)


def test_of_equals_the_first_is_chosen(bells, fal, judge):
    judge.says(0.9, 0.9)
    run = live(paid("a", candidates=2, judge=judging()))

    go_on(bells)

    assert step_of(run).chosen == attempts_of(run)[0]


def test_one_candidate_that_fails_leaves_the_others_to_be_judged(bells, fal, judge):
    fal.fault("submit", "reject")
    judge.says(0.8, 0.9)
    run = live(paid("a", candidates=3, judge=judging()))

    go_on(bells)

    assert states(run)[0] == "done"
    assert step_of(run).chosen == attempts_of(run)[2]
    assert judge.looks == 2
    assert run.reserved_usd == 0


def test_candidates_that_all_fail_are_shown_to_nobody(bells, fal, judge):
    fal.fault("submit", "reject", times=None)
    run = live(paid("a", candidates=2, judge=judging()))

    go_on(bells)

    assert states(run)[0] == "failed"
    assert (judge.looks, run.cost_usd, run.reserved_usd) == (0, 0, 0)


def test_a_candidate_of_unknown_fate_is_wound_down_and_keeps_its_money(bells, fal, judge):
    fal.fault("submit", "drop_after")
    judge.says(0.9)
    run = live(paid("a", candidates=2, judge=judging()))

    go_on(bells)

    assert states(run)[0] == "done"
    lost = attempts_of(run)[0]
    assert (lost.status, run.reserved_usd) == ("canceling", USD)
    let_pass(policy.DEADLINE_S + 60)
    bells.ring(settle_attempt, lost.pk)
    bells.answer_all()
    assert states(run)[0] == "done"
    assert (attempts_of(run)[0].status, run.reserved_usd) == ("canceled", USD)


def test_what_is_not_good_enough_is_made_again_and_only_the_new_one_is_looked_at(bells, fal, judge):
    judge.says(0.4, 0.8)
    run = live(paid("a", judge=judging(), retry=Retrying(max=2)))

    go_on(bells)

    assert states(run)[0] == "done"
    assert [one.role for one in attempts_of(run)] == ["make", "judge", "make", "judge"]
    assert (scores(run), judge.looks) == ([0.4, 0.8], 2)
    assert step_of(run).chosen == attempts_of(run)[2]
    assert run.cost_usd == 2 * (USD + COST)


def test_where_none_is_good_enough_a_person_decides_and_the_best_is_proposed(bells, fal, judge):
    judge.says(0.4, 0.6, 0.5)
    run = live(paid("a", judge=judging(), retry=Retrying(max=2)), paid("b", "a"))

    go_on(bells)

    assert states(run) == ("waiting", {"a": "waiting", "b": "queued"})
    step = step_of(run)
    assert (step.wait_reason, step.error, run.wait_reason) == ("approval", "JUDGE_FAILED", "approval")
    assert step.chosen == attempts_of(run, role="make")[1]
    control.approve_run(run.run_id, actor="eva")
    go_on(bells)
    assert states(run)[0] == "done"
    assert step_of(run).error == ""


def test_a_broken_try_does_not_use_up_the_retries_of_a_judge_twice(bells, fal, judge):
    fal.fault("submit", "infra_error", type="runner_server_error")
    judge.says(0.4, 0.9)
    run = live(paid("a", judge=judging(), retry=Retrying(max=2)))

    go_on(bells)

    assert states(run)[0] == "done"
    assert [one.status for one in attempts_of(run, role="make")] == ["failed", "done", "done"]


def test_nobody_pays_for_comparing_candidates_where_the_recipe_asks_for_no_judge(bells, fal, judge):
    run = live(paid("a", candidates=2))

    go_on(bells)

    assert states(run)[0] == "done"
    assert (judge.looks, run.cost_usd) == (0, 2 * USD)


def test_a_gate_stands_behind_the_judge(bells, fal, judge):
    judge.says(0.9)
    run = live(paid("a", judge=judging(), gate=Gate()))

    go_on(bells)

    assert states(run)[0] == "waiting"
    assert (step_of(run).wait_reason, step_of(run).error) == ("approval", "")
