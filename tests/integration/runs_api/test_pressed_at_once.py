"""Two people, or one impatient one, press the same button in the same moment: it has one effect."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from runs.models import Attempt, Feedback, Run
from tests.integration.gates import gated, make_attempt, propose
from tests.integration.people import bearer
from tests.integration.recipes import DOOR

pytestmark = pytest.mark.django_db(transaction=True)

TOGETHER = 6
KEY = {"Idempotency-Key": "pressed-1"}


def press(run, verb, body, *headers):
    """The answers to one POST for each of the headers, sent in the same moment."""
    together = Barrier(len(headers))

    def send(header):
        try:
            together.wait(timeout=60)
            path = f"/api/runs/{run.run_id}/{verb}"
            return Client().post(path, body, content_type="application/json", headers=header)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(headers)) as threads:
        return list(threads.map(send, headers))


@pytest.fixture
def waiting(alice):
    """A run of Alice's that waits with two pictures to choose from."""
    run = gated(alice, candidates=2)
    propose(run, make_attempt(run, 1))
    make_attempt(run, 2)
    return run


@pytest.fixture
def failed(alice):
    """A run of Alice's whose one step was refused."""
    run = gated(alice, candidates=1)
    propose(run, make_attempt(run, 1))
    press(run, "reject", {}, bearer(alice))
    return run


def moved(run, event):
    return run.events.filter(type=event).count()


def codes(answers):
    return sorted(answer.status_code for answer in answers)


@pytest.mark.parametrize(
    ("verb", "body", "event", "begun"),
    [
        ("cancel", {}, "run.canceled", 0),
        ("approve", {}, "step.approved", 1),
        ("reject", {}, "step.failed", 0),
        ("retry", {}, "step.reopened", 2),
        ("rerun-from", {"stepId": "door"}, "run.reopened", 2),
    ],
)
@pytest.mark.parametrize("keyed", [True, False], ids=["one key", "no key"])
def test_what_is_pressed_by_many_at_once_happens_once(verb, body, event, begun, keyed, waiting, as_alice):
    headers = [{**as_alice, **(KEY if keyed else {})}] * TOGETHER

    answers = press(waiting, verb, body, *headers)

    assert set(codes(answers)) <= {200, 409}
    assert 200 in codes(answers)
    assert moved(waiting, event) == 1
    assert Feedback.objects.filter(run=waiting, kind="rlhf_vote").count() == (0 if verb == "cancel" else 1)
    assert moved(waiting, "attempt.planned") == begun


def test_a_run_that_is_resumed_by_many_at_once_goes_on_once(failed, as_alice):
    answers = press(failed, "resume", {}, *[as_alice] * TOGETHER)

    assert set(codes(answers)) <= {200, 409}
    assert moved(failed, "run.reopened") == 1
    assert Attempt.objects.filter(run=failed, round=2).count() == 1


def test_a_fork_that_is_asked_for_by_many_at_once_with_one_key_is_one_run(alice, as_alice, post):
    order = {"source": DOOR, "inputs": {"NAME": "Ada"}, "mode": "mock"}
    parent = Run.objects.get(run_id=post("/api/zaps/run", order, **as_alice).json()["runId"])

    answers = press(parent, "fork", {"inputs": {"NAME": "Bea"}}, *[{**as_alice, **KEY}] * TOGETHER)

    assert set(codes(answers)) <= {202, 409}
    assert Run.objects.filter(parent=parent).count() == 1
    assert len({answer.json()["runId"] for answer in answers if answer.status_code == 202}) == 1


def test_of_two_who_choose_differently_at_once_one_is_told_so(waiting, as_alice, as_staff):
    first, second = waiting.assets.order_by("pk").values_list("asset_id", flat=True)

    def choose(headers, asset):
        return press(waiting, "approve", {"assetId": asset}, headers)[0]

    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(choose, [as_alice, as_staff], [first, second]))

    assert codes(answers) == [200, 409]
    assert moved(waiting, "step.approved") == 1


def test_whoever_cancels_while_another_approves_has_canceled(waiting, as_alice, as_staff):
    def act(headers, verb):
        return press(waiting, verb, {}, headers)[0].status_code

    with ThreadPoolExecutor(2) as threads:
        canceled, approved = threads.map(act, [as_alice, as_staff], ["cancel", "approve"])

    waiting.refresh_from_db()
    assert (canceled, waiting.status) == (200, "canceled")
    assert moved(waiting, "step.approved") == (approved == 200)
    assert not waiting.steps.filter(status__in=["queued", "running", "waiting"]).exists()
