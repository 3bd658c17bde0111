"""Gates: what holds, who lets go, and what leaves a gate alone."""

import pytest

from core.errors import BadInput, Conflict
from runs import control
from runs.engine.advance import advance_run
from runs.engine.poll import poll_attempt
from runs.engine.settle import settle_attempt
from runs.engine.submit import submit_attempt
from runs.models import Feedback, Run
from tests.chaos.fal import paid
from tests.factories import make_run, planned
from tests.integration.runs.life import (
    at_once,
    attempts_of,
    go_on,
    live,
    states,
    step_of,
)
from zaps.planned import Gate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def held(bells):
    """A run that has made two candidates and waits for a person."""
    run = make_run(planned("a", candidates=2, gate=Gate()), planned("b", "a", kind="image.edit"))
    bells.answer_all()
    return run


def test_a_gate_holds_what_was_made_and_says_why(held):
    assert states(held) == ("waiting", {"a": "waiting", "b": "queued"})
    assert (held.wait_reason, step_of(held).wait_reason, held.due_at) == ("approval", "approval", None)
    assert held.stage == "review"


def test_a_step_without_a_gate_waits_for_nobody(bells):
    run = make_run(planned("a", gate=None))

    bells.answer_all()

    assert states(run)[0] == "done"


def test_an_approval_takes_the_best_and_goes_on(held, bells):
    best = step_of(held).chosen

    control.approve_run(held.run_id, actor="eva", comment="fine")
    bells.answer_all()

    assert states(held) == ("done", {"a": "done", "b": "done"})
    assert (step_of(held).chosen, step_of(held).wait_reason, held.wait_reason) == (best, None, None)
    vote = Feedback.objects.get(run=held, kind="rlhf_vote")
    assert (vote.rater, vote.scores["approved"], vote.comment, vote.asset.attempt) == ("human", True, "fine", best)


def test_a_person_may_pick_another_one(held, bells):
    second = held.assets.get(attempt__number=2)

    control.approve_run(held.run_id, actor="eva", asset_id=second.asset_id)
    bells.answer_all()

    assert step_of(held).chosen == second.attempt
    assert held.assets.get(step__step_id="b").parents == [second.asset_id]


def test_the_same_approval_twice_is_one_and_another_pick_is_refused(held, bells):
    first, second = held.assets.order_by("attempt__number")
    control.approve_run(held.run_id, actor="eva", asset_id=first.asset_id)

    control.approve_run(held.run_id, actor="ada", asset_id=first.asset_id)
    control.approve_run(held.run_id, actor="ada", step_id="a")

    with pytest.raises(Conflict):
        control.approve_run(held.run_id, actor="ada", asset_id=second.asset_id)
    assert Feedback.objects.filter(run=held, kind="rlhf_vote").count() == 1
    assert held.events.filter(type="step.approved").count() == 1


def test_two_people_who_press_at_once_get_one_effect(held, bells):
    first, second = held.assets.order_by("attempt__number")

    came = at_once(
        lambda: control.approve_run(held.run_id, actor="eva", asset_id=first.asset_id),
        lambda: control.approve_run(held.run_id, actor="ada", asset_id=second.asset_id),
    )

    assert came.count(None) == 1
    assert held.events.filter(type="step.approved").count() == 1


def test_one_approves_while_another_rejects_and_one_of_them_is_refused(held, bells):
    approved, rejected = at_once(
        lambda: control.approve_run(held.run_id, actor="eva", step_id="a"),
        lambda: control.reject_run(held.run_id, actor="ada", step_id="a"),
    )

    assert (approved is None) != (rejected is None)
    assert states(held)[1]["a"] == ("done" if approved is None else "failed")


def test_what_belongs_to_another_step_cannot_be_picked(held, bells):
    other = make_run(planned("x"))
    bells.answer_all()

    with pytest.raises(BadInput):
        control.approve_run(held.run_id, actor="eva", asset_id=other.assets.get().asset_id)
    assert states(held)[0] == "waiting"


def test_where_several_wait_the_step_has_to_be_named(bells):
    run = make_run(planned("a", gate=Gate()), planned("b", gate=Gate()))
    bells.answer_all()

    with pytest.raises(Conflict, match="a, b"):
        control.approve_run(run.run_id, actor="eva")

    control.approve_run(run.run_id, actor="eva", step_id="b")
    assert states(run) == ("waiting", {"a": "waiting", "b": "done"})
    control.approve_run(run.run_id, actor="eva")
    assert states(run)[0] == "done"


def test_a_rejection_fails_the_step_and_twice_is_once(held, bells):
    control.reject_run(held.run_id, actor="eva", comment="no")
    control.reject_run(held.run_id, actor="ada")

    assert states(held) == ("failed", {"a": "failed", "b": "skipped"})
    assert (held.error, step_of(held).error) == ("REJECTED", "REJECTED")
    with pytest.raises(Conflict):
        control.approve_run(held.run_id, actor="ada", step_id="a")


def test_what_was_rejected_does_not_come_back_by_resuming(held, bells):
    control.reject_run(held.run_id, actor="eva")

    control.resume_run(held.run_id, actor="eva")
    bells.answer_all()

    assert states(held) == ("waiting", {"a": "waiting", "b": "queued"})
    assert step_of(held).chosen.round == 2


def test_what_waited_when_the_run_was_canceled_is_not_approved_by_resuming(held, bells):
    control.cancel_run(held.run_id, actor="eva")

    control.resume_run(held.run_id, actor="eva")
    bells.answer_all()

    assert states(held) == ("waiting", {"a": "waiting", "b": "queued"})


def test_what_waits_is_not_approved_by_running_something_else_again(bells):
    run = make_run(planned("a", gate=Gate()), planned("b"), planned("c", "b"))
    bells.answer_all()

    control.rerun_from(run.run_id, "b", actor="eva")
    bells.answer_all()

    assert states(run) == ("waiting", {"a": "waiting", "b": "done", "c": "done"})
    assert [one.status for one in attempts_of(run)] == ["done"]


def test_a_retry_with_a_comment_makes_it_again_in_a_new_round(held, bells):
    control.retry_run(held.run_id, actor="eva", comment="brighter")
    assert states(held) == ("running", {"a": "running", "b": "queued"})
    bells.answer_all()

    assert states(held) == ("waiting", {"a": "waiting", "b": "queued"})
    assert [one.round for one in attempts_of(held, role="make")] == [1, 1, 2, 2]
    assert step_of(held).chosen.round == 2
    said = Feedback.objects.get(run=held, kind="rlhf_vote")
    assert (said.comment, said.scores["vote"]) == ("brighter", "down")


def test_messages_that_come_late_leave_a_gate_alone(held):
    before = Run.objects.get(pk=held.pk).revision

    for attempt in attempts_of(held):
        submit_attempt(attempt.pk)
        poll_attempt(attempt.pk)
        settle_attempt(attempt.pk)
    advance_run(held.pk)

    held.refresh_from_db()
    assert held.revision == before
    assert states(held) == ("waiting", {"a": "waiting", "b": "queued"})


def test_the_run_says_what_the_rest_waits_for(bells, fal):
    fal.fault("submit", "drop_after")
    run = live(planned("a", gate=Gate()), paid("b"))
    go_on(bells)
    assert (states(run)[0], run.wait_reason) == ("waiting", "approval")

    control.approve_run(run.run_id, actor="eva", step_id="a")

    assert (states(run)[0], run.wait_reason) == ("waiting", "submission_unknown")
