"""Keys that come with a run, and runs that have none."""

import json

import pytest

from accounts.models import Secret
from runs import queries
from runs.models import Run
from tests.integration.people import bearer
from tests.integration.vault.conftest import CANARY

pytestmark = pytest.mark.django_db(transaction=True)

RECIPE = """---
zap: one-door
version: 1
description: A door.
budget: {cap_usd: 1, estimate_usd: 0.1}
steps:
  - {id: door, kind: image.gen, provider: fal, model: fal-ai/flux/dev, prompt: a door}
---
"""
ORDER = {"source": RECIPE, "mode": "live"}


@pytest.fixture(autouse=True)
def _nobody_answers(monkeypatch):
    monkeypatch.setattr("runs.dispatch.ring_advance", lambda run_pk: True)


def run_it(api, user, **more):
    return api(user, "post", "/api/zaps/run", {**ORDER, **more})


def test_a_live_run_without_a_key_is_refused_before_it_is_made(api, alice):
    answer = run_it(api, alice)

    assert (answer.status_code, answer.json()["code"]) == (403, "KEY_MISSING")
    assert answer.json()["providers"] == ["fal"]
    assert not Run.objects.exists()


def test_a_plan_and_a_mock_run_need_none(api, alice):
    assert run_it(api, alice, mode="plan").status_code == 200
    assert run_it(api, alice, mode="mock").status_code == 202


def test_a_key_that_comes_along_is_kept_for_that_run_alone_and_shown_nowhere(api, alice):
    answer = run_it(api, alice, secrets={"fal": {"fal_key": CANARY}})

    assert answer.status_code == 202
    run_id = answer.json()["runId"]
    assert Secret.objects.get().request_ref == run_id
    assert CANARY not in json.dumps(api(alice, "get", f"/api/runs/{run_id}").json())
    assert CANARY not in str(list(Run.objects.values()))
    assert run_it(api, alice).status_code == 403


def test_the_same_idempotency_key_with_another_provider_key_is_another_request(client, alice):
    headers = {**bearer(alice), "Idempotency-Key": "once"}

    def send(key):
        body = {**ORDER, "secrets": {"fal": {"fal_key": key}}}
        return client.post("/api/zaps/run", body, content_type="application/json", headers=headers)

    first, again, other = send(CANARY), send(CANARY), send(f"{CANARY}-2")

    assert (first.status_code, again.status_code, other.status_code) == (202, 202, 422)
    assert first.json()["runId"] == again.json()["runId"]
    assert other.json()["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_a_broken_key_is_refused_and_never_repeated(api, alice):
    answer = run_it(api, alice, secrets={"fal": {"fal_key": f"{CANARY}\n"}, "nobody": {}})

    assert answer.status_code == 422
    assert CANARY not in answer.content.decode()


def test_a_run_is_not_taken_up_again_once_its_owners_key_is_gone(api, alice):
    api(alice, "put", "/api/secrets/fal", {"fal_key": CANARY})
    run_id = run_it(api, alice).json()["runId"]
    api(alice, "post", f"/api/runs/{run_id}/cancel")
    api(alice, "delete", "/api/secrets/fal")

    answer = api(alice, "post", f"/api/runs/{run_id}/resume")

    assert (answer.status_code, answer.json()["code"]) == (403, "KEY_MISSING")
    assert Run.objects.get().status == "canceled"


def test_only_runs_that_ended_long_ago_are_over(api, alice):
    run_id = run_it(api, alice, mode="mock").json()["runId"]
    assert queries.ended_a_day_ago([run_id]) == []

    Run.objects.update(status="done", finished_at="2020-01-01T00:00:00Z", due_at=None)

    assert queries.ended_a_day_ago([run_id, "run_of_nobody"]) == [run_id]
