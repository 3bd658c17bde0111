"""The interface as it was promised, call by call: what callers were told before they wrote their first line."""

import pytest

from runs.models import Run, Step
from tests.factories import make_run, planned
from tests.integration.gates import gated
from tests.integration.people import bearer, make_user
from tests.integration.recipes import DOOR

pytestmark = pytest.mark.django_db

ORDER = {"source": DOOR, "inputs": {"NAME": "Ada"}}
#: of the six tables: the fields that every row of a run's answer has
RUN = {
    "runId", "zapSlug", "zapVersion", "status", "stage", "waitReason", "providerMode", "inputs", "zapUrl", "sessionId",
    "costUsd", "capUsd", "quoteUsd", "startedAt", "finishedAt", "error", "parentRunId", "revision",
}  # fmt: skip
STEP = {
    "stepId", "kind", "provider", "model", "status", "waitReason", "progress", "error", "idemKey", "providerRequestId",
    "parents", "priceQuoteUsd", "actualUsd", "startedAt", "finishedAt", "attempts",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _nobody_works(monkeypatch, settings, tmp_path):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}
    monkeypatch.setattr("runs.dispatch.ring_advance", lambda run_pk: True)


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def ask(client, alice):
    """Alice asks: the status and what was answered."""

    def go(method, path, body=None, **headers):
        said = {} if method == "get" else {"data": body or {}, "content_type": "application/json"}
        answer = getattr(client, method)(path, **said, headers={**bearer(alice), **headers})
        return answer.status_code, answer.json()

    return go


@pytest.mark.parametrize(
    ("words", "status", "mode"),
    [
        ({}, 202, "mock"),
        ({"mode": "mock"}, 202, "mock"),
        ({"live": False}, 202, "mock"),
        ({"dryRun": False}, 202, "mock"),
        ({"live": True}, 202, "live"),
        ({"mode": "live"}, 202, "live"),
        ({"mode": "plan"}, 200, None),
        ({"dryRun": True}, 200, None),
        ({"dryRun": True, "live": True}, 200, None),
    ],
)
def test_old_words_and_new_ones_say_the_same(ask, words, status, mode):
    code, body = ask("post", "/api/zaps/run", {**ORDER, **words})

    assert (code, body["status"]) == (status, "queued" if mode else "planned")
    assert [run.provider_mode for run in Run.objects.all()] == ([mode] if mode else [])


@pytest.mark.parametrize("words", [{"live": "yes"}, {"dryRun": 1.5}, {"mode": "free"}])
def test_a_word_that_says_nothing_starts_nothing(ask, words):
    code, body = ask("post", "/api/zaps/run", {**ORDER, **words})

    assert (code, bool(body["errors"])) == (422, True)
    assert not Run.objects.exists()


def test_what_was_accepted_says_where_to_look(ask):
    code, body = ask("post", "/api/zaps/run", ORDER)

    assert code == 202
    assert set(body) >= {"runId", "status", "statusUrl", "eventsUrl", "quoteUsd", "steps"}
    assert isinstance(body["quoteUsd"], int | float)
    assert ask("get", body["statusUrl"])[0] == 200
    assert body["eventsUrl"] == f"{body['statusUrl']}/events"
    assert {"stepId", "kind", "status"} <= set(body["steps"][0])


def test_a_session_is_named_by_its_header_and_told_again(ask):
    run_id = ask("post", "/api/zaps/run", ORDER, **{"X-Zap-Session": "tab-7"})[1]["runId"]

    assert ask("get", f"/api/runs/{run_id}")[1]["run"]["sessionId"] == "tab-7"


def test_a_session_without_an_account_sees_and_steers_its_own_runs_alone(client, settings):
    settings.ZAP_OPEN_MODES = ("plan", "mock")
    ours, others = {"X-Zap-Session": "ours"}, {"X-Zap-Session": "others"}
    started = client.post("/api/zaps/run", ORDER, content_type="application/json", headers=ours).json()
    path = f"/api/runs/{started['runId']}/cancel"

    listed = [client.get("/api/runs", headers=who).json()["runs"] for who in (ours, others)]
    steered = [client.post(path, {}, content_type="application/json", headers=who) for who in (others, ours)]

    assert [[run["runId"] for run in runs] for runs in listed] == [[started["runId"]], []]
    assert [answer.status_code for answer in steered] == [404, 200]


def test_a_run_has_every_field_that_was_promised(ask, alice):
    run = gated(alice)

    body = ask("get", f"/api/runs/{run.run_id}")[1]

    assert set(body) >= {"run", "steps", "assets", "feedback", "remainingBudgetUsd"}
    assert set(body["run"]) >= RUN
    assert set(body["steps"][0]) >= STEP
    assert body["run"]["startedAt"] == int(body["run"]["startedAt"]) > 1_500_000_000_000


def test_steering_answers_with_the_new_snapshot(ask, alice):
    run = gated(alice)

    code, body = ask("post", f"/api/runs/{run.run_id}/cancel")

    assert (code, body["run"]["status"]) == (200, "canceled")
    assert set(body) >= {"run", "steps", "assets", "feedback", "remainingBudgetUsd"}


@pytest.mark.parametrize("verb", ["cancel", "approve", "reject", "retry", "resume", "rerun-from"])
def test_what_the_state_forbids_is_a_conflict_and_changes_nothing(ask, alice, verb):
    run = make_run(planned("door"), owner=alice)  # it has not begun: there is nothing to decide or to make again
    if verb in {"cancel", "resume"}:
        end = {"wait_reason": None, "due_at": None, "finished_at": run.started_at, "reserved_usd": 0}
        Step.objects.update(status="done", **end)
        Run.objects.update(status="done", stage="complete", **end)
    said = {} if verb in {"cancel", "resume"} else {"stepId": "door"}
    before = list(Run.objects.values()), list(Step.objects.values())

    code, body = ask("post", f"/api/runs/{run.run_id}/{verb}", said)

    assert (code, body["code"].endswith("_STATE_FORBIDS")) == (409, True)
    assert body["remediation"]
    assert (list(Run.objects.values()), list(Step.objects.values())) == before
