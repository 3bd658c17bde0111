"""Judges that do not say, die, or come too late: nothing passes, nothing is lost, every look is paid for."""

from decimal import Decimal

import pytest

from core.errors import StaleState
from runs import control, policy
from runs.engine import judge as judging_engine
from runs.engine.render import render_attempt
from runs.models import Attempt, Feedback
from tests.chaos.fal import paid
from tests.factories import make_run, planned
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
from zaps.planned import Retrying

pytestmark = pytest.mark.django_db(transaction=True)

COST = Decimal(LOOK)
DOWN = [{"do": "status", "status": 429}, {"do": "status", "status": 503}, {"do": "drop"}]


def scores(run):
    """What the model said, oldest first."""
    rows = Feedback.objects.filter(run=run, kind="judge_score", rater="vlm").order_by("pk")
    return [row.scores["overall"] for row in rows]


@pytest.mark.parametrize("fault", DOWN)
def test_a_service_that_is_down_for_a_moment_is_asked_again_later_and_says_why(bells, fal, judge, fault):
    judge.faults({**fault, "times": 1})
    judge.says(0.9)
    run = live(paid("a", judge=judging()))
    bells.answer_all()

    step, looking = step_of(run), attempts_of(run)[-1]
    assert (step.status, step.wait_reason, looking.status) == ("running", "backoff", "settling")
    assert looking.error == "JUDGE_UNAVAILABLE"
    go_on(bells)

    assert states(run)[0] == "done"
    assert (step_of(run).wait_reason, attempts_of(run)[-1].error) == (None, "")


@pytest.mark.parametrize("fault", DOWN)
def test_a_service_that_stays_down_lets_nothing_pass(bells, fal, judge, fault):
    judge.faults({**fault, "times": None})
    run = live(paid("a", candidates=2, judge=judging()))

    go_on(bells)

    assert states(run)[0] == "waiting"
    step = step_of(run)
    assert (step.wait_reason, step.error) == ("approval", "JUDGE_UNAVAILABLE")
    assert step.chosen == attempts_of(run)[0]
    assert judge.looks == policy.JUDGE_TRIES
    assert run.reserved_usd == 0


def test_a_service_that_takes_too_long_is_paid_for_and_lets_nothing_pass(bells, fal, judge, settings):
    settings.ZAP_JUDGE_TIMEOUT_S = 1
    judge.faults({"do": "slow", "delay_s": 3, "times": None})
    run = live(paid("a", judge=judging()))

    go_on(bells)

    assert states(run)[0] == "waiting"
    assert step_of(run).error == "JUDGE_UNAVAILABLE"
    assert run.cost_usd == USD + policy.JUDGE_TRIES * COST


@pytest.mark.parametrize("fault", [{"do": "refuse"}, {"do": "say", "body": "Lovely!"}, {"do": "scores", "body": 7}])
def test_an_answer_that_is_no_verdict_lets_nothing_pass_and_is_not_asked_for_again(bells, fal, judge, fault):
    judge.faults(fault)
    run = live(paid("a", judge=judging()))

    go_on(bells)

    assert states(run)[0] == "waiting"
    assert (step_of(run).error, judge.looks) == ("JUDGE_NO_VERDICT", 1)
    assert run.cost_usd == USD + COST


def test_a_verdict_that_was_given_is_kept_when_the_next_look_fails(bells, fal, judge):
    judge.says(0.9)
    judge.faults({"do": "status", "status": 503, "times": 1})
    run = live(paid("a", candidates=2, judge=judging()))

    go_on(bells)

    assert states(run)[0] == "done"
    assert judge.looks == 3
    assert len(scores(run)) == 2


class Killed(BaseException):
    """The worker is gone."""


def test_a_worker_that_dies_between_two_looks_loses_no_verdict(bells, fal, judge, monkeypatch):
    judge.says(0.8, 0.9)
    run = live(paid("a", candidates=2, judge=judging()))
    keep = judging_engine._keep

    def keep_one_and_die(*args):
        keep(*args)
        raise Killed

    monkeypatch.setattr(judging_engine, "_keep", keep_one_and_die)
    with pytest.raises(Killed):
        go_on(bells)
    monkeypatch.setattr(judging_engine, "_keep", keep)
    check(run)
    go_on(bells, hop_s=90)

    assert states(run)[0] == "done"
    assert (judge.looks, scores(run)) == (2, [0.8, 0.9])
    assert run.cost_usd == 2 * (USD + COST)


@pytest.fixture
def looker_dies(monkeypatch):
    """Once, after the judge has answered and before that is written down."""
    keep = judging_engine._keep

    def die(*_):
        monkeypatch.setattr(judging_engine, "_keep", keep)
        raise Killed

    monkeypatch.setattr(judging_engine, "_keep", die)


def test_a_look_whose_answer_died_with_its_worker_is_paid_for(bells, fal, judge, looker_dies):
    run = live(paid("a", judge=judging()))
    with pytest.raises(Killed):
        go_on(bells)
    check(run)
    go_on(bells, hop_s=90)

    assert states(run)[0] == "done"
    assert (judge.looks, len(scores(run))) == (2, 1)
    assert (run.cost_usd, run.reserved_usd) == (USD + 2 * COST, 0)
    assert attempts_of(run)[-1].at_stake_usd == 0


def test_a_look_whose_worker_died_is_paid_for_though_the_run_is_canceled_then(bells, fal, judge, looker_dies):
    run = live(paid("a", judge=judging()))
    with pytest.raises(Killed):
        go_on(bells)

    control.cancel_run(run.run_id, actor="eva")
    go_on(bells, hop_s=90)

    assert states(run)[0] == "canceled"
    assert (run.cost_usd, run.reserved_usd) == (USD + COST, 0)
    assert attempts_of(run)[-1].cost_source == "quoted"


def test_a_look_that_others_took_for_lost_is_paid_for_once(bells, fal, judge, monkeypatch):
    run = live(paid("a", judge=judging()))
    keep = judging_engine._keep

    def keep_late(look, *rest):
        monkeypatch.setattr(judging_engine, "_keep", keep)
        let_pass(policy.work_lease_s() + 5)
        render_attempt(look.attempt.pk)
        keep(look, *rest)

    monkeypatch.setattr(judging_engine, "_keep", keep_late)
    with pytest.raises(StaleState):
        go_on(bells)
    go_on(bells)

    assert states(run)[0] == "done"
    assert (judge.looks, run.cost_usd, run.reserved_usd) == (2, USD + 2 * COST, 0)


def test_a_judge_that_breaks_every_time_is_given_up(bells, monkeypatch):
    class Bug(Exception):
        pass

    def broken(*args, **kwargs):
        raise Bug

    monkeypatch.setattr(judging_engine, "_judge", broken)
    run = make_run(planned("a", candidates=2))
    for _ in range(policy.JUDGE_TRIES + 2):
        try:
            go_on(bells, rounds=2, hop_s=120)
        except Bug:
            pass

    assert states(run)[0] == "waiting"
    assert step_of(run).error == "JUDGE_UNAVAILABLE"


def test_a_look_that_ends_after_the_run_was_canceled_is_paid_for_and_counts_for_nothing(bells, fal, judge, monkeypatch):
    run = live(paid("a", judge=judging()))
    ask = judging_engine._judge

    def cancel_meanwhile(*args, **kwargs):
        verdicts = ask(*args, **kwargs)
        control.cancel_run(run.run_id, actor="eva")
        return verdicts

    monkeypatch.setattr(judging_engine, "_judge", cancel_meanwhile)
    with pytest.raises(StaleState, match="taken away"):
        go_on(bells)
    go_on(bells)

    assert states(run) == ("canceled", {"a": "canceled"})
    assert (run.cost_usd, run.reserved_usd) == (USD + COST, 0)
    assert not Feedback.objects.filter(run=run).exists()


def test_two_judges_that_both_looked_are_both_paid(bells, fal, judge, monkeypatch):
    """The first one paused for so long that it was taken for dead."""
    run = live(paid("a", judge=judging()))
    ask = judging_engine._judge

    def pause_and_go_on(*args, **kwargs):
        verdicts = ask(*args, **kwargs)
        monkeypatch.setattr(judging_engine, "_judge", ask)
        let_pass(600)
        render_attempt(Attempt.objects.get(role="judge").pk)
        return verdicts

    monkeypatch.setattr(judging_engine, "_judge", pause_and_go_on)
    with pytest.raises(StaleState, match="taken away"):
        go_on(bells)

    assert states(run)[0] == "done"
    assert len(scores(run)) == 1
    assert (run.cost_usd, judge.looks) == (USD + 2 * COST, 2)


def test_without_money_for_a_look_a_person_looks_for_nothing(bells, fal, judge):
    judge.says(0.4)
    cap = USD * 2 + COST  # enough to make it twice, and to look once
    run = live(paid("a", judge=judging(), retry=Retrying(max=1)), cap=cap)

    go_on(bells)

    assert states(run)[0] == "waiting"
    assert (step_of(run).wait_reason, step_of(run).error) == ("approval", "JUDGE_UNAVAILABLE")
    assert len(attempts_of(run, role="make")) == 2
