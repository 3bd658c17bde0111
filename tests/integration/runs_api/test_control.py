"""A person's hands on runs that the real engine drives, one bell at a time."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.test import Client

from runs.models import Attempt, Feedback, LedgerEntry, Run, Step
from tests.factories import make_run, planned
from tests.integration.gates import costly
from tests.integration.recipes import DOOR
from zaps.planned import Gate

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def gated(alice, bells):
    """A run that waits at its first step, which made two pictures."""
    door = planned("door", gate=Gate(), candidates=2)
    run = make_run(door, planned("film", "door", kind="image.edit"), owner=alice)
    bells.answer_all()
    return run


@pytest.fixture
def done(alice, bells):
    run = make_run(planned("door"), planned("film", "door", kind="image.edit"), owner=alice)
    bells.answer_all()
    return run


def steps_of(body):
    return {step["stepId"]: step for step in body["steps"]}


def status_of(body):
    return body["run"]["status"], {step["stepId"]: step["status"] for step in body["steps"]}


def shown(client, run, headers):
    return client.get(f"/api/runs/{run.run_id}", headers=headers).json()


def other_choice(body):
    return steps_of(body)["door"]["waits"]["choices"][1]


def test_a_gate_offers_what_was_made_and_approval_lets_the_run_go_on(gated, hand, client, as_alice, bells):
    asking = shown(client, gated, as_alice)
    assert status_of(asking) == ("waiting", {"door": "waiting", "film": "queued"})
    assert (asking["run"]["waitReason"], asking["run"]["stage"]) == ("approval", "review")
    assert len(steps_of(asking)["door"]["waits"]["choices"]) == 2

    code, body = hand(gated, "approve", comment="The blue one.")

    assert (code, body["run"]["status"], steps_of(body)["door"]["status"]) == (200, "running", "done")
    bells.answer_all()
    assert status_of(shown(client, gated, as_alice)) == ("done", {"door": "done", "film": "done"})


def test_the_pick_counts_and_is_kept_as_a_vote(gated, hand, client, as_alice, alice):
    pick = other_choice(shown(client, gated, as_alice))

    code, body = hand(gated, "approve", assetId=pick["assetId"], comment="Warmer.")

    assert (code, steps_of(body)["door"]["chosenAttempt"]) == (200, pick["attempt"])
    assert [one["assetId"] for one in body["assets"] if one["chosen"]] == [pick["assetId"]]
    said = next(one for one in body["feedback"] if one["kind"] == "rlhf_vote")
    assert (said["assetId"], said["rater"], said["comment"]) == (pick["assetId"], "human", "Warmer.")
    assert said["scores"]["vote"] == "up"
    assert said["by"].startswith("token:")


def test_the_same_approval_twice_is_one_and_another_pick_is_refused(gated, hand, client, as_alice):
    asking = shown(client, gated, as_alice)
    first, second = steps_of(asking)["door"]["waits"]["choices"]
    hand(gated, "approve", assetId=first["assetId"])

    code, again = hand(gated, "approve", assetId=first["assetId"])
    refused, problem = hand(gated, "approve", assetId=second["assetId"])

    assert (code, Feedback.objects.filter(kind="rlhf_vote").count()) == (200, 1)
    assert again["run"]["revision"] == Run.objects.get().revision
    assert (refused, problem["code"], problem["stepStatus"]) == (409, "STEP_STATE_FORBIDS", "done")


def test_two_people_who_pick_at_once_get_one_film(gated, client, as_alice):
    choices = steps_of(shown(client, gated, as_alice))["door"]["waits"]["choices"]
    together = Barrier(2)

    def press(choice):
        try:
            together.wait()
            body = {"assetId": choice["assetId"]}
            path = f"/api/runs/{gated.run_id}/approve"
            return Client().post(path, body, content_type="application/json", headers=as_alice).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        codes = sorted(threads.map(press, choices))

    assert codes == [200, 409]
    assert Feedback.objects.filter(kind="rlhf_vote").count() == 1


def test_a_rejected_step_fails_its_run_once_and_cannot_be_approved_then(gated, hand, bells):
    code, body = hand(gated, "reject", comment="No door at all.")
    again, _ = hand(gated, "reject")
    refused, problem = hand(gated, "approve")

    bells.answer_all()
    assert (code, status_of(body)) == (200, ("failed", {"door": "failed", "film": "skipped"}))
    assert steps_of(body)["door"]["error"] == "REJECTED"
    assert (again, Feedback.objects.filter(scores__vote="down").count()) == (200, 1)
    assert (refused, problem["code"], problem["runStatus"]) == (409, "RUN_STATE_FORBIDS", "failed")


def test_a_retry_makes_a_new_round_and_asks_again(gated, hand, client, as_alice, bells):
    code, body = hand(gated, "retry", comment="Less fog.")
    bells.answer_all()

    door = steps_of(shown(client, gated, as_alice))["door"]
    assert (code, body["run"]["status"]) == (200, "running")
    assert (door["status"], door["round"]) == ("waiting", 2)
    made = {one["number"] for one in door["attempts"] if one["role"] == "make" and one["round"] == 2}
    assert {one["attempt"] for one in door["waits"]["choices"]} == made
    assert len(made) == 2
    assert Feedback.objects.get(kind="rlhf_vote").comment == "Less fog."


def test_what_was_rejected_can_be_made_again(gated, hand, client, as_alice, bells):
    hand(gated, "reject")

    code, body = hand(gated, "retry", stepId="door")
    bells.answer_all()

    assert (code, body["run"]["status"]) == (200, "running")
    assert status_of(shown(client, gated, as_alice)) == ("waiting", {"door": "waiting", "film": "queued"})


def test_a_canceled_run_goes_on_where_it_stopped(alice, hand, client, as_alice, bells):
    run = make_run(planned("door"), planned("film", "door", kind="image.edit"), owner=alice)
    while not Step.objects.filter(run=run, step_id="door", status="done").exists():
        bells.answer()

    stopped, canceled = hand(run, "cancel")
    again, _ = hand(run, "cancel")
    bells.waiting.clear()
    code, body = hand(run, "resume")
    twice, _ = hand(run, "resume")
    bells.answer_all()

    assert (stopped, again, canceled["run"]["status"]) == (200, 200, "canceled")
    assert (code, twice, body["run"]["status"]) == (200, 200, "running")
    assert status_of(shown(client, run, as_alice)) == ("done", {"door": "done", "film": "done"})
    assert Attempt.objects.filter(step__step_id="door").count() == 1


def test_a_rerun_keeps_what_came_before(done, hand, client, as_alice, bells):
    code, body = hand(done, "rerun-from", stepId="film", comment="The end is dull.")
    bells.answer_all()

    steps = steps_of(shown(client, done, as_alice))
    assert (code, body["run"]["status"]) == (200, "running")
    assert [len(steps[name]["attempts"]) for name in ("door", "film")] == [1, 2]
    assert (steps["film"]["chosenAttempt"], steps["film"]["round"]) == (2, 2)


def test_a_fork_is_a_run_of_its_own_with_other_inputs(start, post, client, as_alice, bells):
    parent = start(as_alice, source=DOOR)

    answer = post(f"/api/runs/{parent}/fork", {"inputs": {"NAME": "Bea"}, "maxUsd": 2}, **as_alice)

    accepted = answer.json()
    child = client.get(answer["Location"], headers=as_alice).json()["run"]
    assert (answer.status_code, accepted["status"], len(accepted["steps"])) == (202, "queued", 3)
    assert (child["runId"], child["parentRunId"]) == (accepted["runId"], parent)
    assert (child["inputs"], child["capUsd"], child["providerMode"]) == ({"NAME": "Bea"}, 2.0, "mock")
    assert client.get(f"/api/runs/{parent}", headers=as_alice).json()["run"]["inputs"] == {"NAME": "Ada"}


@pytest.mark.parametrize(
    ("said", "path"),
    [({"inputs": {"NAMES": "Bea"}}, "inputs.NAMES"), ({"inputs": {"NAME": None}}, "inputs.NAME")],
)
def test_a_fork_with_inputs_that_the_recipe_refuses_is_not_made(said, path, start, post, as_alice, bells):
    parent = start(as_alice)

    answer = post(f"/api/runs/{parent}/fork", said, **as_alice)

    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (422, path)
    assert Run.objects.count() == 1


def test_feedback_moves_nothing_and_names_what_it_is_about(done, hand, client, as_alice):
    before = shown(client, done, as_alice)
    asset = before["assets"][0]

    code, body = hand(done, "feedback", assetId=asset["assetId"], vote="down", scores={"pace": 0.25}, comment="Slow.")

    said = body["feedback"][-1]
    assert (code, status_of(body)) == (201, status_of(before))
    assert (said["assetId"], said["stepId"], said["rater"]) == (asset["assetId"], asset["stepId"], "human")
    assert (said["scores"], said["comment"]) == ({"vote": "down", "pace": 0.25}, "Slow.")


@pytest.mark.parametrize(("verb", "said"), [("retry", {}), ("resume", {}), ("rerun-from", {"stepId": "door"})])
def test_what_would_cost_more_than_is_left_needs_a_higher_cap(verb, said, alice, hand, bells):
    run = costly(alice)
    booked = LedgerEntry.objects.count()

    refused, problem = hand(run, verb, **said)
    lower, mended = hand(run, verb, **said, maxUsd=4.5)
    assert (refused, problem["code"]) == (402, "BUDGET_EXCEEDED")
    assert (lower, mended["errors"][0]["path"]) == (422, "maxUsd")
    assert (Run.objects.get().status, LedgerEntry.objects.count()) == ("failed", booked)

    code, body = hand(run, verb, **said, maxUsd=8)
    assert (code, body["run"]["status"], body["run"]["capUsd"]) == (200, "running", 8.0)
    assert (body["run"]["reservedUsd"], body["remainingBudgetUsd"]) == (4.0, 0.0)
