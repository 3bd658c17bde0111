"""Any sequence of what people, vendors, judges, workers and the broker may do: the promises hold after every one.

STATEFUL_EXAMPLES=1000 looks for more, and at other sequences each time.
"""

import logging
import os

import pytest
from django.contrib.auth import get_user_model
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from runs import control
from runs.models import Attempt
from tests.stateful.machine import Sequence
from tests.stateful.plans import Sketch, plan_of
from tests.stateful.stage import install
from tests.stateful.world import Mood, World

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = int(os.environ.get("STATEFUL_EXAMPLES", "0"))


@pytest.fixture
def machine(monkeypatch, settings):
    """The kind of machine to run."""
    monkeypatch.setattr(logging.root.manager, "disable", logging.CRITICAL)  # thousands of lines, all of them expected
    Sequence.world, Sequence.settings = World(), settings
    install(Sequence.world, monkeypatch, settings)
    get_user_model().objects.create_user(username="eva")
    return Sequence


def test_whatever_happens_in_whatever_order_every_promise_is_kept(machine):
    run_state_machine_as_test(machine, settings=profile())


@pytest.mark.parametrize("look", ["pass", "fail"])
@pytest.mark.parametrize(
    "then",
    [
        lambda one: one.approve(0, None, None, twice=True),
        lambda one: one.refuse(0, None, control.reject_run, twice=True),
        lambda one: one.refuse(0, None, control.retry_run, twice=False),
        lambda one: one.rerun_from(0, 0, None),
        lambda one: one.cancel(0, twice=True),
        lambda one: one.the_vendor_calls(0, 0),
        lambda one: one.an_operator_knows(0, bought=True),
        lambda one: one.later(601),
    ],
    ids=["approved", "rejected", "retried", "run again", "canceled", "called", "known", "too late"],
)
def test_one_candidate_waits_while_another_is_lost_and_then_it_is(then, look, machine):
    one = machine()
    one.a_candidate_is_lost("unknown", look, (600, "approve"))
    one.watch.look()
    assert Attempt.objects.filter(status="unknown", step__wait_reason="approval").count() == 1

    then(one)

    one.watch.look()
    one.teardown()


@pytest.mark.parametrize("on_unknown", ["wait", "fail"])
@pytest.mark.parametrize("gate", [None, (600, "reject")])
@pytest.mark.parametrize("meanwhile", ["lease_ends", "ages", "called", "canceled", "rejected", "rerun"])
def test_the_answer_to_a_submission_comes_late_and_its_job_is_not_forgotten(meanwhile, gate, on_unknown, machine):
    one = machine()
    one.begin(plan_of([Sketch(gate=gate, on_unknown=on_unknown), Sketch(needs=("a",))], None), False)
    one.answer(-1, Mood(), again=False)
    if meanwhile in {"rejected", "rerun"}:  # which can be done once nobody knows any more
        hands = one.world.deeds[meanwhile]
        one.world.deeds[meanwhile] = lambda: (one.later(121), hands())

    one.answer(-1, Mood(happens=(0, meanwhile)), again=False)

    one.watch.look()
    attempt = Attempt.objects.earliest("pk")
    assert attempt.provider_request_id == "job_1" or attempt.error == "SUBMISSION_UNKNOWN"
    one.teardown()


def profile():
    return settings(
        max_examples=EXAMPLES or 40,
        stateful_step_count=30,
        derandomize=not EXAMPLES,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
