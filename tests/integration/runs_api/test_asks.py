"""What a snapshot says of a step that waits, and of what can be done about it."""

from datetime import UTC, datetime

import pytest

from runs.models import Feedback, Run, Step
from tests.factories import make_run, planned
from tests.integration.gates import NOON, gated, hold, make_attempt, propose
from zaps.planned import Gate

pytestmark = pytest.mark.django_db
ONE = datetime(2026, 5, 1, 13, tzinfo=UTC)
NOON_MS, ONE_MS = 1777636800000, 1777640400000


@pytest.fixture
def shown(client, as_alice):
    """The snapshot of a run, its steps by their ids."""

    def show(run):
        body = client.get(f"/api/runs/{run.run_id}", headers=as_alice).json()
        return body, {step["stepId"]: step for step in body["steps"]}

    return show


def test_a_gate_says_since_when_until_when_and_what_then(alice, shown):
    run = gated(alice, gate=Gate(timeout_s=3600, on_timeout="approve"))
    propose(run, make_attempt(run, 1))
    hold(run, "approval", until=ONE)

    waits = shown(run)[1]["door"]["waits"]

    assert (waits["reason"], waits["since"], waits["until"], waits["onTimeout"]) == (
        "approval",
        NOON_MS,
        ONE_MS,
        "approve",
    )
    assert waits["message"] == "A person must look at what was made, and approve it."


@pytest.mark.parametrize(
    ("gate", "reason", "error", "then"),
    [
        ("approve", "approval", "", "approve"),
        ("reject", "approval", "", "reject"),
        ("approve", "approval", "JUDGE_FAILED", "reject"),
        ("reject", "budget", "BUDGET_EXCEEDED", "retry"),
    ],
)
def test_what_happens_by_itself_is_told_beforehand(gate, reason, error, then, alice, shown):
    run = gated(alice, gate=Gate(timeout_s=60, on_timeout=gate))
    propose(run, make_attempt(run, 1))
    hold(run, reason, error=error, until=ONE)

    assert shown(run)[1]["door"]["waits"]["onTimeout"] == then


def test_a_gate_without_a_time_out_waits_for_ever(alice, shown):
    run = gated(alice)
    make_attempt(run, 1)

    waits = shown(run)[1]["door"]["waits"]

    assert (waits["until"], waits["onTimeout"]) == (None, None)


def test_choices_come_best_first_and_the_strictest_judge_counts(alice, shown):
    run = gated(alice, candidates=4)
    make_attempt(run, 1, score=[0.9, 0.3])
    make_attempt(run, 2, score=[0.8])
    make_attempt(run, 3)
    make_attempt(run, 4, status="failed")

    choices = shown(run)[1]["door"]["waits"]["choices"]

    assert [(one["attempt"], one["score"]) for one in choices] == [(2, 0.8), (1, 0.3), (3, None)]


def test_what_approval_takes_by_itself_comes_first(alice, shown):
    run = gated(alice)
    propose(run, make_attempt(run, 1, score=[0.2]))
    make_attempt(run, 2, score=[0.8])

    assert [one["attempt"] for one in shown(run)[1]["door"]["waits"]["choices"]] == [1, 2]


def test_a_judge_without_an_opinion_leaves_no_score(alice, shown):
    run = gated(alice, candidates=1)
    make_attempt(run, 1, score=[0.9, None])

    assert [one["score"] for one in shown(run)[1]["door"]["waits"]["choices"]] == [None]


def test_what_an_earlier_round_made_or_a_judge_did_is_no_choice(alice, shown):
    run = gated(alice)
    make_attempt(run, 1)
    Step.objects.filter(run=run, step_id="door").update(round=2)
    make_attempt(run, 2, round=2)
    make_attempt(run, 3, round=2, role="judge")

    choices = shown(run)[1]["door"]["waits"]["choices"]

    assert [one["attempt"] for one in choices] == [2]


def test_assets_say_who_made_them_and_which_count(alice, shown):
    run = gated(alice)
    make_attempt(run, 1)
    propose(run, make_attempt(run, 2))

    waiting, asking = shown(run)
    Step.objects.filter(run=run, step_id="door").update(status="done", wait_reason=None, finished_at=NOON)
    done, steps = shown(run)

    assert [(one["attempt"], one["chosen"]) for one in waiting["assets"]] == [(1, False), (2, False)]
    assert [(one["attempt"], one["chosen"]) for one in done["assets"]] == [(1, False), (2, True)]
    assert [asking["door"]["chosenAttempt"], steps["door"]["chosenAttempt"]] == [None, 2]
    assert (steps["door"]["candidates"], steps["door"]["round"]) == (2, 1)


@pytest.mark.parametrize(
    ("reason", "error", "code", "can"),
    [
        ("approval", "", "A person must look at what was made, and approve it.", ["approve", "retry", "reject"]),
        ("approval", "JUDGE_FAILED", "No candidate was good enough.", ["approve", "retry", "reject"]),
        ("budget", "", "What is left of the cap does not pay for it.", ["retry", "reject"]),
    ],
)
def test_a_waiting_step_says_why_and_what_to_press(alice, shown, reason, error, code, can):
    run = gated(alice)
    make_attempt(run, 1)
    hold(run, reason, error=error)

    step = shown(run)[1]["door"]

    assert (step["waits"]["message"], step["can"]) == (code, can)


def test_nothing_can_be_approved_while_nothing_was_made(alice, shown):
    run = gated(alice)
    make_attempt(run, 1, status="unknown", due_at=None, submitted_at=NOON)
    hold(run, "submission_unknown", error="SUBMISSION_UNKNOWN")

    step = shown(run)[1]["door"]

    assert (step["can"], step["waits"]["since"], step["waits"]["choices"]) == (["retry", "reject"], NOON_MS, [])
    assert "not known" in step["waits"]["message"]


def test_a_run_that_waits_for_money_can_be_resumed(alice, shown):
    run = gated(alice)
    waiting = shown(run)[0]["run"]["can"]
    hold(run, "budget")

    assert (waiting, shown(run)[0]["run"]["can"]) == (["cancel", "fork"], ["cancel", "resume", "fork"])


def test_a_run_that_ended_can_be_made_again_from_any_step(alice, shown):
    run = make_run(planned("door"), planned("film", "door", kind="stitch"), owner=alice)
    Step.objects.filter(run=run, step_id="door").update(status="done", finished_at=NOON)
    Step.objects.filter(run=run, step_id="film").update(status="failed", finished_at=NOON)
    Run.objects.filter(pk=run.pk).update(status="failed", finished_at=NOON)

    body, steps = shown(run)

    assert body["run"]["can"] == ["resume", "fork"]
    assert (steps["door"]["can"], steps["film"]["can"]) == (["rerun-from"], ["retry", "rerun-from"])


def test_a_fork_names_its_parent_alone_and_in_lists(client, alice, as_alice, shown):
    parent, child = make_run(planned("door"), owner=alice), make_run(planned("door"), owner=alice)
    Run.objects.filter(pk=child.pk).update(parent=parent)

    listed = client.get("/api/runs", headers=as_alice).json()["runs"]

    assert shown(child)[0]["run"]["parentRunId"] == parent.run_id
    assert [run["parentRunId"] for run in listed] == [parent.run_id, None]


def test_who_said_it_is_shown_to_the_owner_and_to_nobody_else(client, open_doors, alice, shown):
    mine, nobodys = make_run(planned("door"), owner=alice), make_run(planned("door"))
    for run in (mine, nobodys):
        Feedback.objects.create(run=run, kind="rlhf_vote", rater="human", principal_id="user:7")

    stranger = client.get(f"/api/runs/{nobodys.run_id}").json()["feedback"][0]

    assert shown(mine)[0]["feedback"][0]["by"] == "user:7"
    assert "by" not in stranger
