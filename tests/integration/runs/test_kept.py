"""What was made and paid for before a run was stopped counts again when it goes on."""

import pytest

from runs import control
from runs.models import Feedback
from tests.chaos.fal import paid
from tests.factories import planned
from tests.integration.runs.life import (
    USD,
    attempts_of,
    go_on,
    judging,
    live,
    pass_and_ring,
    states,
    step_of,
)
from zaps.planned import Gate

pytestmark = pytest.mark.django_db(transaction=True)


def stopped(bells, *steps):
    run = live(*steps)
    go_on(bells)
    control.cancel_run(run.run_id, actor="eva")
    go_on(bells)
    return run


def resumed(run, bells):
    control.resume_run(run.run_id, actor="eva")
    go_on(bells)
    return states(run)


def sources(run):
    return [one.cost_source for one in attempts_of(run, role="make")]


def test_candidates_that_waited_at_a_gate_wait_there_again_and_cost_nothing(bells, fal, judge):
    run = stopped(bells, paid("a", candidates=2, judge=judging(), gate=Gate()), planned("b", "a"))
    looks = judge.looks

    assert resumed(run, bells) == ("waiting", {"a": "waiting", "b": "queued"})

    assert sources(run) == ["derived", "derived", "reused", "reused"]
    assert (len(fal.bought()), judge.looks) == (2, looks)
    assert step_of(run).chosen.round == 2
    assert Feedback.objects.filter(step__run=run, kind="judge_score", rater="vlm").count() == 4
    control.approve_run(run.run_id, actor="eva")
    go_on(bells)
    assert states(run)[0] == "done"
    assert (run.cost_usd, run.reserved_usd) == (2 * (USD + judging().quote_usd), 0)


def test_only_the_candidate_that_was_not_done_is_made(bells, fal):
    run = live(paid("a", candidates=2, gate=Gate()))
    bells.answer()
    bells.answer()
    fal.work_for(3600)
    go_on(bells, rounds=2)
    assert sorted(one.status for one in attempts_of(run)) == ["accepted", "done"]
    control.cancel_run(run.run_id, actor="eva")
    bells.answer_all()
    fal.work_for(0)

    assert resumed(run, bells)[0] == "waiting"

    assert len(fal.bought()) == 3
    assert sources(run)[2:] == ["reused", "derived"]


def test_what_asks_for_something_else_is_made_anew(bells, fal):
    run = stopped(bells, paid("a", gate=Gate()))
    step = step_of(run)
    step.spec["prompt"] = "another lighthouse"
    step.save(update_fields=["spec"])

    assert resumed(run, bells)[0] == "waiting"

    assert sources(run) == ["derived", "derived"]


def test_what_was_refused_is_not_offered_again(bells, fal):
    run = live(paid("a", gate=Gate()))
    go_on(bells)
    control.reject_run(run.run_id, actor="eva")

    assert resumed(run, bells)[0] == "waiting"

    assert sources(run) == ["derived", "derived"]


def test_who_tries_again_gets_something_new(bells, fal):
    run = live(paid("a", gate=Gate(timeout_s=60)))
    go_on(bells)
    pass_and_ring(70)
    bells.answer_all()
    assert (states(run)[0], run.error) == ("failed", "GATE_TIMED_OUT")

    control.retry_run(run.run_id, actor="eva")
    go_on(bells)

    assert sources(run) == ["derived", "derived"]


def test_what_nobody_came_to_look_at_is_offered_again(bells, fal):
    run = live(paid("a", gate=Gate(timeout_s=60)))
    go_on(bells)
    pass_and_ring(70)
    bells.answer_all()

    assert resumed(run, bells)[0] == "waiting"

    assert sources(run) == ["derived", "reused"]


def test_it_is_kept_however_often_the_run_is_stopped(bells, fal):
    run = stopped(bells, paid("a", candidates=2, gate=Gate()))

    for _ in range(2):
        control.resume_run(run.run_id, actor="eva")
        control.cancel_run(run.run_id, actor="eva")
    assert resumed(run, bells)[0] == "waiting"

    assert len(fal.bought()) == 2
    assert run.reserved_usd == 0
