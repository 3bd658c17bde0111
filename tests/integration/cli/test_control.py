"""The verbs that lay a hand on a run, on this machine and over HTTP."""

import io
import json

import pytest
from django.contrib.auth import get_user_model

from accounts.tokens import create_token
from cli.__main__ import main
from cli.inprocess import local_user
from runs.models import Asset, Feedback, Run, Step
from tests.factories import make_run, planned
from tests.integration.gates import costly, gated, make_attempt, propose
from zaps.catalogue import load_bundled

pytestmark = pytest.mark.django_db


@pytest.fixture
def waiting():
    """A run that waits with two pictures, the second of which has the better score."""
    run = gated(local_user())
    make_attempt(run, 1, score=[0.4])
    propose(run, make_attempt(run, 2, score=[0.82]))
    return run


def ended(*words):
    return main(list(words))


def told(capsys):
    """The one JSON document on stdout."""
    return json.loads(capsys.readouterr().out)


def door_of(run):
    return Step.objects.get(run=run, step_id="door")


def test_status_shows_what_can_be_picked_and_what_would_move_the_run(waiting, capsys):
    assert ended("status", waiting.run_id) == 0

    first, second = Asset.objects.order_by("pk")
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:7] == [
        "door: A person must look at what was made, and approve it.",
        f"{second.asset_id}  attempt 2  score 0.82  {second.url}",
        f"{first.asset_id}  attempt 1  score 0.40  {first.url}",
        f"zap approve {waiting.run_id} [--asset ASSET]",
        f"zap retry {waiting.run_id}",
        f"zap reject {waiting.run_id}",
    ]


def test_watching_a_run_that_waits_says_the_same_and_exits_with_three(waiting, capsys):
    assert ended("watch", waiting.run_id) == 3

    said = capsys.readouterr()
    assert said.out == f"{waiting.run_id}\n"
    assert f"zap approve {waiting.run_id}" in said.err


def test_approving_takes_the_best(waiting, capsys):
    assert ended("approve", waiting.run_id, "--comment", "Fine.", "--no-wait", "--json") == 0

    steps = told(capsys)["steps"]
    assert (steps[0]["status"], steps[0]["chosenAttempt"]) == ("done", 2)
    assert Feedback.objects.get(kind="rlhf_vote").comment == "Fine."


def test_approving_takes_what_is_named(waiting):
    pick = Asset.objects.earliest("pk")

    assert ended("approve", waiting.run_id, "--step", "door", "--asset", pick.asset_id, "--no-wait") == 0

    assert door_of(waiting).chosen_id == pick.attempt_id


def test_another_pick_afterwards_is_refused(waiting, capsys):
    ended("approve", waiting.run_id, "--no-wait")

    assert ended("approve", waiting.run_id, "--asset", Asset.objects.earliest("pk").asset_id) == 4

    assert "STEP_STATE_FORBIDS" in capsys.readouterr().err


def test_rejecting_ends_the_run_and_exits_as_it_ended(waiting, capsys):
    assert ended("reject", waiting.run_id) == 1

    assert door_of(waiting).error == "REJECTED"
    assert f"zap retry {waiting.run_id} --step door" in capsys.readouterr().err


def test_a_retry_begins_a_new_round(waiting, capsys):
    assert ended("retry", waiting.run_id, "--comment", "Less fog.", "--no-wait", "--json") == 0

    document = told(capsys)
    assert (document["run"]["status"], document["steps"][0]["round"]) == ("running", 2)


def test_cancelling_twice_is_once_and_a_canceled_run_can_be_resumed(waiting, capsys):
    assert ended("cancel", waiting.run_id) == 0
    assert f"zap resume {waiting.run_id}" in capsys.readouterr().err
    assert ended("cancel", waiting.run_id) == 0

    assert ended("resume", waiting.run_id, "--no-wait") == 0

    assert Run.objects.get().status == "running"


def test_a_run_at_work_is_not_made_again(capsys):
    run = make_run(planned("door"), owner=local_user())

    assert ended("rerun-from", run.run_id, "door", "--json") == 4

    assert told(capsys)["code"] == "RUN_STATE_FORBIDS"


def test_feedback_is_kept_and_moves_nothing(waiting, capsys):
    asset = Asset.objects.earliest("pk")

    assert ended("feedback", waiting.run_id, "--vote", "down", "--asset", asset.asset_id, "--comment", "Dull.") == 0

    said = Feedback.objects.get(kind="rlhf_vote")
    assert (said.asset, said.scores, said.comment) == (asset, {"vote": "down"}, "Dull.")
    assert Run.objects.get().status == "waiting"


def test_feedback_without_a_vote_is_bad_input(waiting, capsys):
    assert ended("feedback", waiting.run_id, "--json") == 2

    assert told(capsys)["code"] == "USAGE"


def test_what_is_left_of_the_cap_is_not_enough_until_it_is_raised(capsys):
    run = costly(local_user())

    assert ended("retry", run.run_id, "--no-wait", "--json") == 4
    assert told(capsys)["code"] == "BUDGET_EXCEEDED"

    assert ended("retry", run.run_id, "--max-usd", "8", "--no-wait", "--json") == 0
    assert told(capsys)["run"]["capUsd"] == 8.0


class Terminal(io.StringIO):
    def isatty(self):
        return True


SPENDERS = [("retry",), ("resume",), ("rerun-from", "door"), ("fork",)]


@pytest.fixture
def live():
    """A failed live run of four dollars, of ten."""
    load_bundled()
    run = costly(local_user())
    Run.objects.update(provider_mode="live", cap_usd=10, inputs={})
    return run


@pytest.mark.parametrize("words", SPENDERS, ids=lambda words: words[0])
def test_a_live_run_spends_nothing_that_nobody_agreed_to(words, live, capsys):
    verb, *rest = words

    assert ended(verb, live.run_id, *rest, "--no-wait", "--json") == 4

    assert told(capsys)["code"] == "LIVE_NEEDS_CONSENT"
    assert list(Run.objects.values_list("status", flat=True)) == ["failed"]


@pytest.mark.parametrize(("answer", "code", "status"), [("y\n", 0, "running"), ("n\n", 4, "failed")])
@pytest.mark.parametrize("words", SPENDERS[:3], ids=lambda words: words[0])
def test_at_a_terminal_a_live_run_asks_for_what_is_left_of_its_cap(
    words, answer, code, status, live, capsys, monkeypatch
):
    verb, *rest = words
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)

    assert ended(verb, live.run_id, *rest, "--no-wait") == code

    assert "Spend up to $6.00? [y/N]" in terminal.getvalue()
    assert Run.objects.get().status == status


def test_who_says_yes_beforehand_is_not_asked(live):
    assert ended("retry", live.run_id, "--yes", "--no-wait") == 0

    assert Run.objects.get().status == "running"


def start(capsys):
    load_bundled()
    assert ended("run", "hello-film", "--input", "CREATURE=a fox", "--no-wait", "--json") == 0
    return told(capsys)["run"]["runId"]


def test_a_fork_changes_what_is_named_and_keeps_the_rest(capsys):
    parent = start(capsys)

    assert ended("fork", parent, "--input", "CREATURE=a hen", "--max-usd", "1.5", "--no-wait", "--json") == 0

    child = told(capsys)["run"]
    assert (child["parentRunId"], child["inputs"]["CREATURE"], child["capUsd"]) == (parent, "a hen", 1.5)


def test_a_fork_with_an_input_that_there_is_not_is_bad_input(capsys):
    parent = start(capsys)

    assert ended("fork", parent, "--input", "CREATUR=a hen", "--json") == 2

    assert told(capsys)["errors"][0]["path"] == "inputs.CREATUR"
    assert Run.objects.count() == 1


def test_a_mock_run_is_not_forked_into_a_live_one_unasked(capsys):
    parent = start(capsys)

    assert ended("fork", parent, "--mode", "live", "--json") == 4

    assert told(capsys)["code"] == "LIVE_NEEDS_CONSENT"
    assert Run.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_over_http_it_is_the_same(live_server, monkeypatch, capsys):
    alice = get_user_model().objects.create_user("alice", password="x")
    monkeypatch.setenv("ZAP_API_URL", live_server.url)
    monkeypatch.setenv("ZAP_TOKEN", create_token(alice, "laptop")[1])
    run = gated(alice, candidates=1)
    propose(run, make_attempt(run, 1))

    assert ended("reject", run.run_id, "--json") == 1

    document = told(capsys)
    assert document["steps"][0]["error"] == "REJECTED"
    assert document["feedback"][0]["by"].startswith("token:")
