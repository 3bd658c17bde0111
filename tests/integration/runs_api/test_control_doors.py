"""Who may lay a hand on a run, how strictly they are read, and that the same request twice is done once."""

import pytest

from accounts.models import IdempotencyKey
from runs.models import Attempt, Feedback, Run, RunEvent, Step
from tests.factories import make_run, planned
from tests.integration.gates import NOON, gated, make_attempt, propose
from tests.integration.people import bearer

pytestmark = pytest.mark.django_db
KEY = {"Idempotency-Key": "hand-1"}
BODIES = {
    "cancel": {},
    "approve": {},
    "reject": {},
    "retry": {},
    "resume": {},
    "rerun-from": {"stepId": "door"},
    "fork": {},
    "feedback": {"vote": "up"},
}
SPENDS = {"approve", "retry", "resume", "rerun-from", "fork"}
EVERY = pytest.mark.parametrize("verb", BODIES)


def untouched(run):
    written = [Feedback.objects.count(), RunEvent.objects.filter(run=run).count() - 1, IdempotencyKey.objects.count()]
    return Run.objects.count() == 1 and not any(written)


@pytest.fixture
def waiting(alice):
    """A run of Alice's that waits with one picture to approve."""
    run = gated(alice, candidates=1)
    propose(run, make_attempt(run, 1))
    return run


@EVERY
def test_a_stranger_finds_no_run_and_changes_nothing(verb, waiting, post, as_bob):
    answer = post(f"/api/runs/{waiting.run_id}/{verb}", BODIES[verb], **as_bob, **KEY)

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")
    assert untouched(waiting)


@EVERY
def test_nobody_finds_no_run(verb, waiting, post, open_doors):
    assert post(f"/api/runs/{waiting.run_id}/{verb}", BODIES[verb]).status_code == 404
    assert untouched(waiting)


@EVERY
def test_a_reading_token_lays_no_hand_on_a_run(verb, waiting, post, alice):
    answer = post(f"/api/runs/{waiting.run_id}/{verb}", BODIES[verb], **bearer(alice, ["read"]))

    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert untouched(waiting)


@EVERY
def test_what_spends_on_a_live_run_needs_the_scope_for_that(verb, alice, post):
    run = gated(alice, candidates=1, mode="live")
    make_attempt(run, 1)

    answer = post(f"/api/runs/{run.run_id}/{verb}", BODIES[verb], **bearer(alice, ["read", "run"]))

    assert (answer.status_code == 403) == (verb in SPENDS)


def test_a_mock_run_is_not_forked_into_a_live_one_without_the_scope(waiting, post, alice):
    answer = post(f"/api/runs/{waiting.run_id}/fork", {"mode": "live"}, **bearer(alice, ["read", "run"]))

    assert answer.status_code == 403
    assert untouched(waiting)


def test_another_session_lays_no_hand_on_an_anonymous_run(post, open_doors):
    run = make_run(planned("door"), session_id="one")

    assert post(f"/api/runs/{run.run_id}/cancel", **{"X-Zap-Session": "two"}).status_code == 404
    assert post(f"/api/runs/{run.run_id}/cancel").status_code == 404
    assert post(f"/api/runs/{run.run_id}/cancel", **{"X-Zap-Session": "one"}).status_code == 200


def test_staff_lay_hands_on_every_run(waiting, post, as_staff):
    answer = post(f"/api/runs/{waiting.run_id}/cancel", **as_staff)

    assert (answer.status_code, answer.json()["run"]["status"]) == (200, "canceled")


@EVERY
def test_a_field_that_there_is_not_is_refused_by_name(verb, waiting, post, as_alice):
    answer = post(f"/api/runs/{waiting.run_id}/{verb}", {**BODIES[verb], "stepid": "door"}, **as_alice, **KEY)

    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_REQUEST")
    assert [(one["path"], one["code"]) for one in answer.json()["errors"]] == [("stepid", "FIELD_UNKNOWN")]
    assert untouched(waiting)


@pytest.mark.parametrize(
    ("verb", "body", "path"),
    [
        ("approve", {"comment": "x" * 2001}, "comment"),
        ("approve", {"comment": None}, "comment"),
        ("approve", {"assetId": "a" * 41}, "assetId"),
        ("approve", {"stepId": 7}, "stepId"),
        ("retry", {"maxUsd": "5"}, "maxUsd"),
        ("retry", {"maxUsd": -1}, "maxUsd"),
        ("resume", {"maxUsd": True}, "maxUsd"),
        ("rerun-from", {}, "stepId"),
        ("rerun-from", {"stepId": None}, "stepId"),
        ("rerun-from", {"stepId": ""}, "stepId"),
        ("fork", {"mode": "dry"}, "mode"),
        ("fork", {"inputs": []}, "inputs"),
        ("fork", {"extendCount": 65}, "extendCount"),
        ("feedback", {"vote": "sideways"}, "vote"),
        ("feedback", {"scores": {"pace": 1.1}}, "scores.pace"),
        ("feedback", {"scores": {"pace": -0.1}}, "scores.pace"),
        ("feedback", {"scores": {"vote": 1}}, "scores.vote"),
        ("feedback", {"scores": {"pace": "0.5"}}, "scores.pace"),
        ("feedback", {"scores": {"pace": True}}, "scores.pace"),
        ("feedback", {"scores": {str(n): 1 for n in range(33)}}, "scores"),
        ("feedback", {"scores": {"n" * 61: 1}}, f"scores.{'n' * 40}"),
        ("feedback", {"vote": "up", "kind": "praise"}, "kind"),
        ("feedback", {"vote": "up", "kind": "judge_score"}, "kind"),
        ("feedback", {}, "vote"),
        ("feedback", {"scores": {}, "comment": " "}, "vote"),
        ("feedback", {"vote": "up", "stepId": "roof"}, "stepId"),
        ("feedback", {"vote": "up", "assetId": "asset_0"}, "assetId"),
        ("approve", {"stepId": "roof"}, "stepId"),
        ("approve", {"assetId": "asset_0"}, "assetId"),
    ],
)
def test_what_makes_no_sense_is_named_and_changes_nothing(verb, body, path, waiting, post, as_alice):
    answer = post(f"/api/runs/{waiting.run_id}/{verb}", body, **as_alice)

    assert answer.status_code == 422, answer.content
    assert [one["path"] for one in answer.json()["errors"]] == [path]
    assert untouched(waiting)


@pytest.mark.parametrize("content_type", ["", "application/json", "application/x-www-form-urlencoded"])
def test_no_body_at_all_is_enough_where_nothing_needs_to_be_said(content_type, waiting, client, as_alice):
    path = f"/api/runs/{waiting.run_id}/cancel"

    answer = client.generic("POST", path, "", content_type=content_type, headers=as_alice)

    assert answer.status_code == 200


def test_only_a_post_lays_a_hand_on_a_run(waiting, client, as_alice):
    answer = client.get(f"/api/runs/{waiting.run_id}/approve", headers=as_alice)

    assert (answer.status_code, answer["Allow"]) == (405, "POST, OPTIONS")


def test_a_run_that_there_is_not_is_not_found(post, as_alice):
    for verb, body in BODIES.items():
        assert post(f"/api/runs/run_0/{verb}", body, **as_alice).status_code == 404


def test_the_same_feedback_with_a_key_is_kept_once(waiting, post, as_alice):
    path, body = f"/api/runs/{waiting.run_id}/feedback", {"vote": "up", "comment": "Good light."}

    first = post(path, body, **as_alice, **KEY)
    again = post(path, body, **as_alice, **KEY)

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert "Idempotency-Replayed" not in first
    assert again["Idempotency-Replayed"] == "true"
    assert Feedback.objects.filter(kind="rlhf_vote").count() == 1


def test_a_key_belongs_to_one_request(waiting, post, as_alice):
    path = f"/api/runs/{waiting.run_id}/feedback"
    post(path, {"vote": "up"}, **as_alice, **KEY)

    answer = post(path, {"vote": "down"}, **as_alice, **KEY)

    assert (answer.status_code, answer.json()["code"]) == (422, "IDEMPOTENCY_KEY_REUSED")
    assert Feedback.objects.count() == 1


def test_the_same_fork_with_a_key_is_made_once(start, post, as_alice):
    run_id = start(as_alice)
    path, body = f"/api/runs/{run_id}/fork", {"inputs": {"NAME": "Bea"}}

    first = post(path, body, **as_alice, **KEY)
    again = post(path, body, **as_alice, **KEY)

    assert (first.status_code, again.status_code) == (202, 202)
    assert (again.json(), again["Location"]) == (first.json(), first["Location"])
    assert again["Idempotency-Replayed"] == "true"
    assert Run.objects.count() == 2


def test_a_refused_hand_frees_its_key(alice, post, as_alice):
    run = make_run(planned("door"), owner=alice)

    refused = post(f"/api/runs/{run.run_id}/approve", **as_alice, **KEY)

    assert refused.status_code == 409
    assert not IdempotencyKey.objects.exists()


def test_a_crash_before_the_answer_is_kept_leaves_no_trace(waiting, post, as_alice, monkeypatch):
    def die(*_):
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr("accounts.idempotency.answer", die)
        assert post(f"/api/runs/{waiting.run_id}/approve", **as_alice, **KEY).status_code == 500

    assert untouched(waiting)
    assert Step.objects.get(run=waiting, step_id="door").status == "waiting"


@pytest.mark.parametrize("rows", [1, 8])
def test_a_snapshot_asks_the_same_few_questions_however_much_was_made(
    rows, client, alice, as_alice, django_assert_num_queries
):
    run = gated(alice, candidates=rows)
    for number in range(1, rows + 1):
        make_attempt(run, number, score=[0.5])
    assert Attempt.objects.filter(finished_at=NOON).count() == rows
    client.get("/api/runs", headers=as_alice)

    with django_assert_num_queries(8):  # token, savepoint, run, steps, attempts, assets, feedback, release
        client.get(f"/api/runs/{run.run_id}", headers=as_alice)
