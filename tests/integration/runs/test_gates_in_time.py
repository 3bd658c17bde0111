"""Gates that nobody minds, and submissions of unknown fate behind them."""

from decimal import Decimal
from uuid import uuid4

import pytest

from core.errors import Conflict
from providers.contract import Job
from runs import control
from runs.engine.advance import advance_run
from runs.engine.submit import _answer_late, submission_unknown_of, submit_attempt
from runs.models import Attempt
from runs.transitions import alone
from tests.chaos.fal import paid
from tests.factories import make_run, planned
from tests.integration.runs.life import (
    USD,
    attempts_of,
    go_on,
    judging,
    let_pass,
    live,
    pass_and_ring,
    states,
    step_of,
)
from zaps.planned import Gate

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = {"mock": {"latency_s": 3600}}


@pytest.mark.parametrize(("decision", "ends"), [("approve", "done"), ("reject", "failed")])
def test_a_gate_decides_by_itself_when_its_time_is_over(bells, decision, ends):
    run = make_run(planned("a", gate=Gate(timeout_s=100, on_timeout=decision)))
    bells.answer_all()
    pass_and_ring(95)
    bells.answer_all()
    assert states(run)[0] == "waiting"

    pass_and_ring(10)
    bells.answer_all()

    assert states(run)[0] == ends
    assert run.error == ("" if ends == "done" else "GATE_TIMED_OUT")


def test_a_gate_decides_in_time_while_another_step_is_at_work(bells):
    run = make_run(
        planned("a", gate=Gate(timeout_s=10, on_timeout="approve")), planned("b", params=SLOW), planned("c", "a")
    )
    bells.answer_all()
    assert states(run)[1] == {"a": "waiting", "b": "running", "c": "queued"}

    pass_and_ring(15)
    bells.answer_all()

    assert states(run)[1] == {"a": "done", "b": "running", "c": "done"}


def test_two_gates_each_decide_in_time(bells):
    run = make_run(
        planned("a", gate=Gate(timeout_s=10, on_timeout="approve")),
        planned("b", gate=Gate(timeout_s=18, on_timeout="approve")),
    )
    bells.answer_all()

    pass_and_ring(13)
    bells.answer_all()
    assert states(run) == ("waiting", {"a": "done", "b": "waiting"})
    pass_and_ring(8)
    bells.answer_all()

    assert states(run)[0] == "done"


def test_what_no_judge_let_pass_is_never_approved_by_time(bells, fal, judge):
    judge.says(0.1)
    gate = Gate(timeout_s=60, on_timeout="approve")
    run = live(paid("a", judge=judging(hold=gate), gate=gate))
    go_on(bells)
    assert states(run)[0] == "waiting"

    pass_and_ring(90)
    bells.answer_all()

    assert states(run) == ("failed", {"a": "failed"})
    assert run.error == "GATE_TIMED_OUT"


def test_an_unsatisfied_judge_waits_no_longer_than_its_gate(bells, fal, judge):
    judge.says(0.1)
    run = live(paid("a", judge=judging(hold=Gate(timeout_s=60))))
    go_on(bells)
    assert states(run)[0] == "waiting"

    pass_and_ring(90)
    bells.answer_all()

    assert states(run)[0] == "failed"


def test_what_ran_out_of_time_does_not_come_back_by_resuming(bells):
    run = make_run(planned("a", gate=Gate(timeout_s=1)))
    bells.answer_all()
    pass_and_ring(10)
    bells.answer_all()
    assert states(run)[0] == "failed"

    control.resume_run(run.run_id, actor="eva")
    bells.answer_all()

    assert states(run)[0] == "waiting"
    assert len(attempts_of(run)) == 2


def out_there(run, number=1):
    """The attempt of unknown fate, and the token that its submitter still has."""
    attempt, token = attempts_of(run)[number - 1], uuid4()
    alone.submitting(attempt, token)
    let_pass(600)
    submission_unknown_of(attempt.pk)
    return Attempt.objects.select_related("step", "run").get(pk=attempt.pk), token


@pytest.fixture
def gated_beside_unknown(bells):
    """Two candidates: the fate of one is unknown, the other waits at the gate."""
    run = make_run(planned("a", candidates=2, quote="0.5", gate=Gate(), params=SLOW), planned("b", "a"))
    advance_run(run.pk)
    bells.waiting.clear()
    attempt, token = out_there(run)
    step = step_of(run)
    step.spec["params"] = {}
    step.save(update_fields=["spec"])
    submit_attempt(attempts_of(run)[1].pk)
    bells.answer_all()
    assert states(run)[1]["a"] == "waiting"
    assert step_of(run).wait_reason == "approval"
    return run, attempt, token


def test_the_late_answer_of_a_submission_leaves_a_gate_alone(gated_beside_unknown, bells):
    run, attempt, _ = gated_beside_unknown

    _answer_late(attempt, Job(request_id="late", model="m"))

    assert states(run) == ("waiting", {"a": "waiting", "b": "queued"})
    attempt.refresh_from_db()
    assert (attempt.status, attempt.provider_request_id) == ("canceling", "late")
    assert step_of(run).wait_reason == "approval"


def test_an_approval_lets_nobody_wait_for_what_is_of_unknown_fate(gated_beside_unknown, bells):
    run, attempt, _ = gated_beside_unknown

    control.approve_run(run.run_id, actor="eva")

    attempt.refresh_from_db()
    assert (attempt.status, attempt.reserved_usd) == ("canceling", Decimal("0.5"))
    bells.answer_all()
    assert states(run)[0] == "done"
    assert run.reserved_usd == Decimal("0.5")


def test_a_submission_of_unknown_fate_cannot_be_approved_and_can_be_tried_again(bells, fal):
    fal.fault("submit", "drop_after")
    run = live(paid("a"))
    go_on(bells)
    assert states(run)[0] == "waiting"

    with pytest.raises(Conflict):
        control.approve_run(run.run_id, actor="eva")
    control.retry_run(run.run_id, actor="eva")
    go_on(bells)

    assert states(run)[0] == "done"
    assert (run.cost_usd, run.reserved_usd) == (USD, USD)
