"""What a run says that it takes, it takes; whatever else is refused."""

import pytest
from django.db import transaction

from runs.models import Run, Step
from tests.factories import make_run, planned
from tests.integration.gates import costly, gated, hold, make_attempt
from tests.integration.recipes import DOOR
from zaps.planned import Gate

pytestmark = pytest.mark.django_db(transaction=True)


def queued(alice, bells):
    return make_run(planned("door"), owner=alice)


def at_work(alice, bells):
    run = make_run(planned("door", gate=Gate()), planned("film", kind="image.gen"), owner=alice)
    while not Step.objects.filter(run=run, step_id="door", status="waiting").exists():
        bells.answer()
    bells.waiting.clear()
    return run


def waits_for_approval(alice, bells):
    run = make_run(planned("door", gate=Gate(), candidates=2), planned("film", "door", kind="image.edit"), owner=alice)
    bells.answer_all()
    return run


def waits_for_proof(alice, bells):
    run = gated(alice, candidates=1)
    make_attempt(run, 1, status="unknown", due_at=None)
    hold(run, "submission_unknown", error="SUBMISSION_UNKNOWN")
    return run


def waits_for_money(alice, bells):
    run = costly(alice)
    open_again = {"status": "waiting", "wait_reason": "budget", "finished_at": None}
    Step.objects.update(**open_again, error="BUDGET_EXCEEDED", round=2)
    Run.objects.update(**open_again, cap_usd=10)
    return run


def has_failed(alice, bells):
    run = costly(alice)
    Run.objects.update(cap_usd=10)
    return run


def was_canceled(alice, bells):
    run = make_run(planned("door"), owner=alice)
    Step.objects.update(status="canceled", wait_reason=None, due_at=None, finished_at=run.started_at)
    Run.objects.update(status="canceled", due_at=None, finished_at=run.started_at)
    return run


def is_done(alice, bells):
    run = make_run(planned("door"), owner=alice)
    bells.answer_all()
    return run


STATES = [queued, at_work, waits_for_approval, waits_for_proof, waits_for_money, has_failed, was_canceled, is_done]
#: nothing to offer: it changes nothing, or does what another verb is for
QUIET = {
    ("was_canceled", "cancel"),
    ("queued", "resume"),
    ("at_work", "resume"),
    ("is_done", "approve"),
    ("waits_for_approval", "rerun-from"),
    ("waits_for_proof", "rerun-from"),
    ("waits_for_money", "rerun-from"),
}


VERBS = ["cancel", "resume", "fork", "approve", "retry", "reject", "rerun-from"]


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_a_run_takes_what_it_says_it_takes_and_refuses_the_rest(state, alice, hand, client, as_alice, bells):
    run = state(alice, bells)
    Run.objects.filter(pk=run.pk).update(source=DOOR, inputs={"NAME": "Ada"})
    body = client.get(f"/api/runs/{run.run_id}", headers=as_alice).json()
    door = next(step for step in body["steps"] if step["stepId"] == "door")
    offered = body["run"]["can"] + door["can"]

    taken = {verb for verb in VERBS if is_taken(hand, run, verb)}

    assert taken == {*offered, *(verb for name, verb in QUIET if name == state.__name__)}


def is_taken(hand, run, verb):
    """Whether the run as it stands takes it; afterwards it stands as before."""
    said = {} if verb in {"cancel", "resume", "fork"} else {"stepId": "door"}
    with transaction.atomic():
        code, body = hand(run, verb, **said)
        transaction.set_rollback(True)
    if code not in {200, 202}:
        assert (code, body["code"].endswith("STATE_FORBIDS")) == (409, True), body
    return code in {200, 202}
