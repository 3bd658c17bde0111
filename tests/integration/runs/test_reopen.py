"""Made again: a step of a run that has ended, and what follows from it."""

from decimal import Decimal

import pytest

from core.errors import BadInput, Conflict, NotFound, OverBudget
from runs import control
from runs.models import Feedback
from tests.chaos.fal import paid
from tests.factories import make_run, planned
from tests.integration.runs.life import USD, at_once, attempts_of, go_on, live, pass_and_ring, states, step_of
from zaps.planned import Gate

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = {"mock": {"latency_s": 3600}}


def change(run, step_id, **fields):
    """From now on the step asks for something else."""
    step = step_of(run, step_id)
    step.spec |= fields
    step.save(update_fields=["spec"])


@pytest.fixture
def finished(bells):
    """a, b and c after it, d beside them."""
    run = make_run(
        planned("a"), planned("b", "a", kind="image.edit"), planned("c", "b", kind="image.edit"), planned("d")
    )
    bells.answer_all()
    assert states(run)[0] == "done"
    return run


def rounds(run):
    return dict(run.steps.values_list("step_id", "round"))


def reused(run):
    return set(run.attempts.filter(cost_source="reused").values_list("step__step_id", flat=True))


def test_what_stands_before_it_and_beside_it_stays(finished, bells):
    before = {step.step_id: step.chosen_id for step in finished.steps.all()}

    control.rerun_from(finished.run_id, "b", actor="eva")
    assert states(finished)[0] == "running"
    bells.answer_all()

    assert states(finished) == ("done", dict.fromkeys("abcd", "done"))
    after = {step.step_id: step.chosen_id for step in finished.steps.all()}
    assert {name for name in before if before[name] == after[name]} == {"a", "d"}
    assert rounds(finished) == {"a": 1, "b": 2, "c": 2, "d": 1}
    assert finished.error == ""


def test_what_comes_out_the_same_costs_nothing_after_it(bells, fal):
    """The vendor makes the same picture again, so that what is made of it is the same request."""
    run = live(paid("a"), planned("b", "a", kind="image.edit", quote="0.5"))
    go_on(bells)
    cost = run.attempts.get(step__step_id="b").actual_usd + USD
    before = run.attempts.count()

    control.rerun_from(run.run_id, "a", actor="eva")
    go_on(bells)

    assert states(run)[0] == "done"
    digests = set(run.assets.filter(step__step_id="a").values_list("sha256", flat=True))
    assert len(digests) == 1
    assert reused(run) == {"b"}
    assert run.attempts.count() == before + 2
    assert run.cost_usd == cost + USD
    assert run.reserved_usd == 0


def test_what_is_taken_over_is_the_same_file(bells, fal):
    run = live(paid("a"), planned("b", "a", kind="image.edit"))
    go_on(bells)
    control.rerun_from(run.run_id, "a", actor="eva")
    go_on(bells)

    first, second = run.assets.filter(step__step_id="b").order_by("pk")

    assert (second.storage_key, second.parents) == (first.storage_key, [first.asset_id])
    assert step_of(run, "b").chosen == second.attempt


def test_what_follows_from_something_else_is_made_again(finished, bells):
    change(finished, "a", prompt="a harbour")

    control.rerun_from(finished.run_id, "a", actor="eva")
    bells.answer_all()

    assert states(finished)[0] == "done"
    assert reused(finished) == set()
    assert {one.round for one in attempts_of(finished, "c")} == {1, 2}


def test_it_is_refused_while_the_run_is_at_work(bells):
    run = make_run(planned("a"), planned("b", "a", params=SLOW))
    bells.answer_all()
    assert states(run)[0] == "running"

    with pytest.raises(Conflict):
        control.rerun_from(run.run_id, "a", actor="eva")


def test_two_who_press_at_once_get_one_round(finished, bells):
    came = at_once(*[lambda: control.rerun_from(finished.run_id, "c", actor="eva")] * 2)

    assert came.count(None) == 1
    assert rounds(finished)["c"] == 2
    bells.answer_all()
    assert states(finished)[0] == "done"


def test_a_step_that_is_not_there_is_named(finished):
    with pytest.raises(BadInput, match="nowhere"):
        control.rerun_from(finished.run_id, "nowhere", actor="eva")
    with pytest.raises(NotFound):
        control.rerun_from("run_none", "a", actor="eva")


def test_it_holds_money_anew_or_is_refused(bells, fal):
    run = live(paid("a"), paid("b", "a"), cap="0.06")
    go_on(bells)

    with pytest.raises(OverBudget) as refused:
        control.rerun_from(run.run_id, "a", actor="eva")
    assert [part["stepId"] for part in refused.value.extra["steps"]] == ["a", "b"]
    assert states(run)[0] == "done"

    control.rerun_from(run.run_id, "a", actor="eva", max_usd=Decimal(1))
    go_on(bells)
    assert states(run)[0] == "done"


def test_a_step_that_failed_is_made_again_with_what_came_after(bells):
    run = make_run(
        planned("a"), planned("b", "a", params={"mock": {"fail": "PROVIDER_REJECTED"}}), planned("c", "b"), planned("d")
    )
    bells.answer_all()
    change(run, "b", params={})

    control.resume_run(run.run_id, actor="eva")
    bells.answer_all()

    assert states(run) == ("done", dict.fromkeys("abcd", "done"))
    assert rounds(run) == {"a": 1, "b": 2, "c": 2, "d": 1}
    assert (run.error, step_of(run, "b").error, step_of(run, "c").error) == ("", "", "")


def test_a_canceled_run_goes_on_where_it_stopped(bells):
    run = make_run(planned("a"), planned("b", "a", params=SLOW), planned("c", "b"))
    bells.answer_all()
    control.cancel_run(run.run_id, actor="eva")
    change(run, "b", params={})

    control.resume_run(run.run_id, actor="eva")
    control.resume_run(run.run_id, actor="ada")
    bells.answer_all()

    assert states(run) == ("done", {"a": "done", "b": "done", "c": "done"})
    assert rounds(run) == {"a": 1, "b": 2, "c": 2}


def test_the_late_result_of_an_earlier_round_is_not_taken(bells, fal, emulator):
    fal.work_for(3600)
    fal.fault("cancel", "ignore", times=None)
    run = live(paid("a"))
    go_on(bells, rounds=2)
    control.cancel_run(run.run_id, actor="eva")
    fal.work_for(7200)
    control.resume_run(run.run_id, actor="eva")
    go_on(bells, rounds=2)
    assert states(run) == ("running", {"a": "running"})

    emulator.desks["fal"].clock.advance(4000)  # the first one's job ends, and not yet the second's
    go_on(bells, rounds=3)

    assert states(run) == ("running", {"a": "running"})
    assert [one.status for one in attempts_of(run)] == ["canceled", "accepted"]
    assert run.cost_usd == USD
    emulator.desks["fal"].clock.advance(4000)
    go_on(bells)
    assert states(run)[0] == "done"
    assert run.cost_usd == 2 * USD


def test_a_run_that_is_done_has_nothing_to_resume(finished):
    with pytest.raises(Conflict):
        control.resume_run(finished.run_id, actor="eva")
    with pytest.raises(Conflict):
        control.retry_run(finished.run_id, actor="eva")


def test_a_run_that_waits_for_a_decision_is_not_resumed(bells):
    run = make_run(planned("a", gate=Gate()))
    bells.answer_all()

    with pytest.raises(Conflict, match="approve"):
        control.resume_run(run.run_id, actor="eva")


def test_what_followed_a_rerun_that_failed_is_not_paid_for_again(bells, fal):
    run = live(paid("a"), planned("b", "a", kind="image.edit"))
    go_on(bells)
    fal.fault("submit", "reject")
    control.rerun_from(run.run_id, "a", actor="eva")
    go_on(bells)
    assert states(run) == ("failed", {"a": "failed", "b": "skipped"})

    control.resume_run(run.run_id, actor="eva")
    go_on(bells)

    assert states(run)[0] == "done"
    assert reused(run) == {"b"}


def test_a_gate_before_it_was_passed_is_not_asked_again(bells, fal):
    run = live(paid("a"), planned("b", "a", kind="image.edit", gate=Gate()))
    go_on(bells)
    control.approve_run(run.run_id, actor="eva")

    control.rerun_from(run.run_id, "a", actor="eva")
    go_on(bells)

    assert states(run)[0] == "done"
    assert reused(run) == {"b"}


def test_who_runs_it_again_was_not_content_with_it(finished, bells):
    control.rerun_from(finished.run_id, "c", actor="eva", comment="too dark")

    vote = Feedback.objects.get(run=finished)
    assert (vote.step.step_id, vote.scores["vote"], vote.comment, vote.principal_id) == ("c", "down", "too dark", "eva")


def test_a_failed_and_a_waiting_step_are_tried_again_together(bells):
    run = make_run(planned("a", gate=Gate()), planned("b", params={"mock": {"fail": "PROVIDER_REJECTED"}}))
    bells.answer_all()
    assert states(run) == ("waiting", {"a": "waiting", "b": "failed"})
    change(run, "b", params={})

    control.retry_run(run.run_id, actor="eva")
    bells.answer_all()

    assert states(run) == ("waiting", {"a": "waiting", "b": "done"})


def test_everything_that_is_opened_again_is_due_or_says_why(finished, bells):
    control.rerun_from(finished.run_id, "a", actor="eva")
    bells.waiting.clear()  # every message is lost

    pass_and_ring(120)
    go_on(bells)

    assert states(finished)[0] == "done"
