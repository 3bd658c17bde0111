"""A run's whole life through real workers: candidates, a judge, further tries, a gate, and what comes after."""

import json
from decimal import Decimal

import pytest
from django.test import Client

from accounts.caller import Scope
from providers.emulator import Emulator
from runs import control
from runs.models import Feedback
from tests.chaos.fal import KEY, Fal, paid
from tests.chaos.truth import assert_nothing_lost, state_of, wait_for
from tests.factories import make_run, planned
from tests.integration.people import bearer, make_user
from tests.processes import wait_until
from zaps.planned import Gate, Judging, Retrying

USD, LOOK = Decimal("0.025"), Decimal("0.002")


@pytest.fixture
def emulator():
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def fal(emulator):
    return Fal(emulator)


@pytest.fixture
def judge(emulator):
    """The judge's desk."""
    return emulator.desks["judge"]


@pytest.fixture
def workers(stack, emulator, fal):
    """The processes, which buy from `fal` and ask `judge`."""
    stack.environment |= {
        "FAL_KEY": KEY,
        "FAL_BASE_URL": fal.url,
        "ZAP_ALLOW_LOOPBACK": "1",
        "ZAP_JUDGE_URL": emulator.urls["judge"],
        "ZAP_JUDGE_MODEL": "eyes-1",
        "ZAP_JUDGE_KEY": "a-key",
        "ZAP_JUDGE_USD": str(LOOK),
    }
    return stack


def judged(**fields):
    return Judging(criteria=("a lighthouse",), threshold=Decimal("0.7"), quote_usd=LOOK, **fields)


def says(judge, *scores):
    judge.plan.add(*({"on": "submit", "do": "scores", "body": score} for score in scores))


def press(run, verb, who, **body):
    """Over HTTP, as a person does. Returns the status and the answer."""
    address = f"/api/runs/{run.run_id}/{verb}"
    answer = Client().post(address, json.dumps(body), content_type="application/json", headers=who)
    return answer.status_code, answer.json()


def test_from_candidates_over_a_judge_and_a_gate_to_a_film_that_is_made_again(workers, fal, judge):
    eva = make_user("eva")
    who = bearer(eva, tuple(Scope))
    fal.fault("submit", "infra_error", type="runner_server_error")
    says(judge, 0.75, 0.95)
    again = Retrying(max=1, backoff_s=Decimal(1))
    run = make_run(
        paid("a", candidates=2, judge=judged(), retry=again, gate=Gate()),
        planned("clip", "a", kind="video.gen", duration_s=Decimal(1)),
        planned("film", "clip", kind="stitch"),
        mode="live",
        owner=eva,
    )
    workers.start("worker", "drain", "beat")

    wait_for(run, "waiting")
    makes = run.attempts.filter(role="make").order_by("number")
    assert sorted(one.status for one in makes) == ["done", "done", "failed"]
    worse, better = (one for one in makes if one.status == "done")
    step = run.steps.get(step_id="a")
    assert (step.wait_reason, step.error, step.chosen) == ("approval", "", better)

    status, snapshot = press(run, "approve", who, assetId=worse.assets.get().asset_id, comment="that one")
    assert status == 200, snapshot
    wait_for(run, "done")
    assert run.steps.get(step_id="a").chosen == worse
    assert_nothing_lost(run, fal)
    assert run.cost_usd == 2 * (USD + LOOK)

    status, snapshot = press(run, "rerun-from", who, stepId="film")
    assert status == 200, snapshot
    wait_for(run, "done")
    assert len(fal.bought()) == 3
    assert_nothing_lost(run, fal)


def test_a_worker_that_is_killed_while_a_judge_looks_loses_no_verdict(workers, judge, fal):
    workers.environment["ZAP_WORK_LEASE_S"] = "3"  # how long the dead one's look lies about
    says(judge, 0.8)
    judge.plan.add({"on": "submit", "do": "slow", "delay_s": 60})
    says(judge, 0.9)
    run = make_run(paid("a", candidates=2, judge=judged()), mode="live")
    workers.start("worker", "drain", "beat")
    wait_until(lambda: judge.journal.submissions and Feedback.objects.filter(run=run, rater="vlm").exists())
    wait_until(lambda: len(judge.journal.submissions) == 2)

    workers.kill("worker")
    workers.start("worker")

    wait_for(run, "done")
    scores = Feedback.objects.filter(run=run, rater="vlm").order_by("pk").values_list("scores__overall", flat=True)
    assert list(scores) == [0.8, 0.9]
    assert len(judge.journal.submissions) == 3
    assert_nothing_lost(run, fal)


def test_a_gate_that_nobody_minds_ends_in_its_time(workers, fal):
    run = make_run(planned("a", gate=Gate(timeout_s=1, on_timeout="approve")), planned("b", "a"))
    workers.start("worker", "drain", "beat")

    wait_for(run, "done")

    assert run.events.filter(type="step.approved", actor="worker").count() == 1


def test_two_people_decide_at_once_while_workers_are_busy(workers, fal):
    eva = make_user("eva")
    who = bearer(eva, tuple(Scope))
    run = make_run(planned("a", candidates=2, gate=Gate()), planned("b", "a"), owner=eva)
    workers.start("worker", "drain", "beat")
    wait_for(run, "waiting")

    approved, rejected = press(run, "approve", who, stepId="a")[0], press(run, "reject", who, stepId="a")[0]

    assert (approved, rejected) == (200, 409)
    wait_for(run, "done")


def test_a_canceled_run_goes_on_where_it_stopped(workers, fal, monkeypatch):
    fal.work_for(60)
    run = make_run(planned("a"), paid("b", "a"), mode="live")
    workers.start("worker", "drain", "beat")
    wait_until(lambda: run.attempts.filter(status="accepted").exists())
    control.cancel_run(run.run_id, actor="eva")
    wait_until(lambda: run.attempts.filter(status="canceled").exists())
    fal.work_for(0)
    monkeypatch.setenv("FAL_KEY", KEY)

    control.resume_run(run.run_id, actor="eva")

    wait_for(run, "done")
    assert state_of(run)[1] == {"a": "done", "b": "done"}
    assert run.attempts.filter(step__step_id="a").count() == 1
    assert_nothing_lost(run, fal)
