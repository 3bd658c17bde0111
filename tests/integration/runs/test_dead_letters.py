"""What failed for good, and making it go on."""

import pytest

from runs.dead_letters import redrive
from runs.engine.advance import advance_run
from runs.models import DeadLetter, Run, Step
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db(transaction=True)

BROKEN = {"mock": {"fail": "PROVIDER_REJECTED"}}


@pytest.fixture
def dead(bells):
    """Begin a run of steps that all fail, and wait until it has ended."""

    def fail(*names, **fields):
        run = make_run(planned("good"), *(planned(name, params=BROKEN, **fields) for name in names))
        advance_run(run.pk)
        bells.answer_all()
        run.refresh_from_db()
        assert run.status == "failed"
        return run

    return fail


def mend(run):
    """Whatever was wrong with it is not any more."""
    for step in run.steps.all():
        Step.objects.filter(pk=step.pk).update(spec={**step.spec, "params": {}})


def test_only_what_failed_with_its_run_is_a_dead_letter(dead, bells):
    run = dead("a")
    make_run(planned("b"))
    dead("c")
    Run.objects.filter(steps__step_id="c").update(status="canceled")

    assert [(letter.run, letter.step_id) for letter in DeadLetter.objects.all()] == [(run, "a")]


def test_a_dead_letter_is_made_again_and_its_run_comes_to_its_end(dead, bells):
    run = dead("a")
    mend(run)

    outcomes = redrive([run.run_id], actor="user:1")
    bells.answer_all()

    run.refresh_from_db()
    assert [(outcome.run_id, outcome.step_ids, outcome.refused) for outcome in outcomes] == [(run.run_id, ("a",), None)]
    assert run.status == "done"
    assert not DeadLetter.objects.exists()
    assert run.events.filter(actor="user:1").exists()


def test_all_that_failed_of_a_run_goes_on_together(dead, bells):
    run = dead("a", "b")
    mend(run)

    outcomes = redrive([run.run_id, run.run_id], actor="user:1")
    bells.answer_all()

    run.refresh_from_db()
    assert [(outcome.step_ids, outcome.refused) for outcome in outcomes] == [(("a", "b"), None)]
    assert run.status == "done"


def test_what_is_refused_says_why_and_stops_no_other(dead, bells):
    poor, rich = dead("a", quote="1"), dead("a")
    Run.objects.filter(pk=poor.pk).update(cap_usd=0)

    refused, fine = redrive([poor.run_id, rich.run_id], actor="user:1")

    assert (refused.refused.code, refused.refused.status) == ("BUDGET_EXCEEDED", 402)
    assert Run.objects.get(pk=poor.pk).status == "failed"
    assert fine.refused is None


def test_a_run_in_which_nothing_failed_for_good_is_refused(dead, bells):
    going = make_run(planned("a"))
    dead_once = dead("a")
    redrive([dead_once.run_id], actor="user:1")

    outcomes = redrive([going.run_id, "run_nowhere", dead_once.run_id], actor="user:2")

    assert [outcome.refused.code for outcome in outcomes] == ["NOT_FOUND"] * 3
    assert dead_once.steps.get(step_id="a").attempts.count() == 2


def test_a_comment_is_kept_with_the_run(dead, bells):
    run = dead("a")

    redrive([run.run_id], actor="user:1", comment="the provider is up again")

    assert run.feedback.get().comment == "the provider is up again"
