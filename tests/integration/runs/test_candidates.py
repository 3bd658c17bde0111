"""Several attempts side by side, further tries, and who is chosen."""

from decimal import Decimal

import pytest

from runs import control
from runs.models import Feedback, LedgerEntry
from tests.factories import make_run, planned
from zaps.planned import Gate

pytestmark = pytest.mark.django_db(transaction=True)


def state(run):
    run.refresh_from_db()
    return run.status, dict(run.steps.values_list("step_id", "status"))


def test_all_candidates_are_made_and_one_is_chosen(bells):
    run = make_run(planned("a", candidates=3), planned("b", "a", kind="image.edit"))

    bells.answer_all()

    assert state(run) == ("done", {"a": "done", "b": "done"})
    step = run.steps.get(step_id="a")
    assert step.attempts.filter(role="make", status="done").count() == 3
    assert step.chosen.role == "make"
    assert Feedback.objects.filter(step=step, kind="judge_score").count() == 3
    b = run.assets.get(step__step_id="b")
    assert b.parents == [step.chosen.assets.get().asset_id]


def test_a_gate_holds_and_a_person_picks_another(bells):
    run = make_run(planned("a", candidates=2, gate=Gate()), planned("b", "a", kind="image.edit"))
    bells.answer_all()
    assert state(run) == ("waiting", {"a": "waiting", "b": "queued"})
    step = run.steps.get(step_id="a")
    other = run.assets.exclude(attempt=step.chosen).get(step=step)

    control.approve_run(run.run_id, actor="eva", asset_id=other.asset_id)
    bells.answer_all()

    assert state(run) == ("done", {"a": "done", "b": "done"})
    assert run.steps.get(step_id="a").chosen == other.attempt


def test_rerun_from_makes_what_follows_again(bells):
    run = make_run(planned("a"), planned("b", "a", kind="image.edit"), planned("c"))
    bells.answer_all()
    assert state(run)[0] == "done"

    control.rerun_from(run.run_id, "a", actor="eva")
    bells.answer_all()

    assert state(run)[0] == "done"
    assert dict(run.steps.values_list("step_id", "round")) == {"a": 2, "b": 2, "c": 1}


def test_a_reject_fails_the_run_and_a_retry_brings_it_back(bells):
    run = make_run(planned("a", gate=Gate()), planned("b", "a", kind="image.edit"))
    bells.answer_all()
    control.reject_run(run.run_id, actor="eva", comment="no")
    assert state(run) == ("failed", {"a": "failed", "b": "skipped"})

    control.retry_run(run.run_id, actor="eva")
    bells.answer_all()
    assert state(run) == ("waiting", {"a": "waiting", "b": "queued"})
    control.approve_run(run.run_id, actor="eva")
    control.approve_run(run.run_id, actor="ada")
    bells.answer_all()
    assert state(run) == ("done", {"a": "done", "b": "done"})


def test_money_is_held_for_candidates_and_booked(bells, django_user_model):
    owner = django_user_model.objects.create(username="eva")
    run = make_run(
        planned("a", candidates=2, quote="0.5"), planned("b", "a", kind="image.edit", quote="1"), owner=owner
    )
    run.refresh_from_db()
    assert run.reserved_usd == Decimal(2)

    bells.answer_all()

    run.refresh_from_db()
    assert run.reserved_usd == 0
    kinds = list(LedgerEntry.objects.filter(run_id=run.run_id).values_list("kind", "usd"))
    assert sum(usd for kind, usd in kinds if kind == "reserved") == Decimal(2)
    assert sum(usd for kind, usd in kinds if kind == "released") == Decimal(2)
