from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runs.models import Asset, Attempt, Feedback, Run, Step
from tests.factories import make_run, planned
from tests.integration.people import bearer

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOON_MS = 1777636800000


@pytest.fixture
def film(alice):
    """A run of Alice's in the middle of its life, with one row in each table."""
    run = make_run(
        planned("door", quote="0.25"),
        planned("film", "door", kind="stitch"),
        owner=alice,
        inputs={"NAME": "Ada"},
        session_id="tab-7",
    )
    door = Step.objects.get(run=run, step_id="door")
    Run.objects.filter(pk=run.pk).update(
        started_at=NOON, cost_usd=Decimal("0.1"), reserved_usd=Decimal("0.15"), revision=4
    )
    Step.objects.filter(pk=door.pk).update(
        status="failed",
        error="PROVIDER_REJECTED",
        wait_reason=None,
        idem_key="zap:idem:x",
        provider_request_id="job_9",
        actual_usd=Decimal("0.1"),
        reserved_usd=0,
        started_at=NOON,
        finished_at=NOON,
        progress=0.5,
    )
    attempt = Attempt.objects.create(
        run=run,
        step=door,
        number=1,
        status="failed",
        idem_key="zap:idem:x",
        provider="mock",
        capability="image.gen",
        provider_request_id="job_9",
        error="PROVIDER_REJECTED",
        quote_usd=Decimal("0.25"),
        reserved_usd=Decimal("0.02"),
        actual_usd=Decimal("0.1"),
        cost_source="reported",
        seed=7,
        logs=["started"],
        queue_position=2,
        due_at=None,
        finished_at=NOON,
        created_at=NOON,
    )
    Step.objects.filter(pk=door.pk).update(chosen=attempt)
    asset = Asset.objects.create(
        asset_id="asset_1",
        run=run,
        step=door,
        attempt=attempt,
        index=0,
        kind="png",
        content_type="image/webp",
        storage_key="runs/x/0",
        sha256="ab",
        size_bytes=12,
        width=640,
        height=360,
        parents=["asset_0"],
        created_at=NOON,
        duration_s=Decimal("1.5"),
    )
    Feedback.objects.create(
        run=run,
        step=door,
        asset=asset,
        kind="rlhf_vote",
        rater="human",
        scores={"up": 1},
        principal_id="user:7",
        created_at=NOON,
    )
    return run


def test_a_run_shows_every_field_of_its_row(client, film, as_alice, alice):
    body = client.get(f"/api/runs/{film.run_id}", headers=as_alice).json()

    assert body["remainingBudgetUsd"] == 4.75
    assert body["run"] == {
        "runId": film.run_id,
        "parentRunId": None,
        "zapSlug": "test",
        "zapVersion": 1,
        "zapUrl": None,
        "output": "Zap.mp4",
        "status": "queued",
        "stage": "queued",
        "waitReason": None,
        "providerMode": "mock",
        "sessionId": "tab-7",
        "userId": str(alice.pk),
        "principalId": "test",
        "inputs": {"NAME": "Ada"},
        "contentHash": film.content_hash,
        "revision": 4,
        "kept": False,
        "quoteUsd": 0.25,
        "capUsd": 5.0,
        "reservedUsd": 0.15,
        "costUsd": 0.1,
        "error": None,
        "errorDetail": None,
        "startedAt": NOON_MS,
        "finishedAt": None,
        "can": ["cancel", "fork"],
        "statusUrl": f"/api/runs/{film.run_id}",
        "eventsUrl": f"/api/runs/{film.run_id}/events",
    }


def test_a_step_shows_every_field_of_its_row_and_its_attempts(client, film, as_alice):
    door, stitch = client.get(f"/api/runs/{film.run_id}", headers=as_alice).json()["steps"]

    attempts = door.pop("attempts")
    detail = door.pop("errorDetail")
    assert door == {
        "stepId": "door",
        "runId": film.run_id,
        "order": 0,
        "kind": "image.gen",
        "provider": "mock",
        "model": "mock/image.gen",
        "status": "failed",
        "waitReason": None,
        "progress": 0.5,
        "parents": [],
        "round": 1,
        "candidates": 1,
        "chosenAttempt": None,
        "waits": None,
        "can": ["retry"],
        "idemKey": "zap:idem:x",
        "providerRequestId": "job_9",
        "priceQuoteUsd": 0.25,
        "reservedUsd": 0.0,
        "actualUsd": 0.1,
        "error": "PROVIDER_REJECTED",
        "startedAt": NOON_MS,
        "finishedAt": NOON_MS,
    }
    assert (detail["code"], detail["retryable"]) == ("PROVIDER_REJECTED", False)
    assert detail["message"]
    assert detail["remediation"]
    assert [
        (one["number"], one["status"], one["seed"], one["costSource"], one["queuePosition"], one["logs"])
        for one in attempts
    ] == [(1, "failed", 7, "reported", 2, ["started"])]
    assert [(one["round"], one["role"], one["reservedUsd"]) for one in attempts] == [(1, "make", 0.02)]
    assert (stitch["order"], stitch["parents"], stitch["waitReason"], stitch["attempts"]) == (
        1,
        ["door"],
        "dependency",
        [],
    )


def test_assets_and_feedback_show_every_field(client, film, as_alice):
    body = client.get(f"/api/runs/{film.run_id}", headers=as_alice).json()

    asset = body["assets"][0]
    assert asset == {
        "assetId": asset["assetId"],
        "runId": film.run_id,
        "stepId": "door",
        "attempt": 1,
        "chosen": False,
        "kind": "png",
        "contentType": "image/webp",
        "url": f"/api/assets/{asset['assetId']}/content",
        "storageKey": "runs/x/0",
        "sha256": "ab",
        "sizeBytes": 12,
        "width": 640,
        "height": 360,
        "durationS": 1.5,
        "parents": ["asset_0"],
        "createdAt": NOON_MS,
    }
    assert body["feedback"] == [
        {
            "runId": film.run_id,
            "stepId": "door",
            "assetId": asset["assetId"],
            "kind": "rlhf_vote",
            "rater": "human",
            "by": "user:7",
            "scores": {"up": 1},
            "comment": None,
            "createdAt": NOON_MS,
        }
    ]


@pytest.mark.parametrize("path", ["", "/attempts", "/log"])
def test_the_run_of_somebody_else_does_not_exist(client, film, as_bob, path):
    answer = client.get(f"/api/runs/{film.run_id}{path}", headers=as_bob)

    assert (answer.status_code, answer.json()["code"]) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["", "/attempts", "/log"])
def test_staff_see_every_run(client, film, as_staff, path):
    assert client.get(f"/api/runs/{film.run_id}{path}", headers=as_staff).status_code == 200


def test_a_token_without_the_read_scope_reads_nothing(client, film, alice):
    answer = client.get(f"/api/runs/{film.run_id}", headers=bearer(alice, ["run"]))

    assert answer.status_code == 403


def test_an_owned_run_is_not_open_even_where_doors_are(client, film, open_doors):
    assert client.get(f"/api/runs/{film.run_id}").status_code == 404


def test_a_run_that_nobody_owns_is_read_by_its_id_while_the_mock_is_open(client, settings):
    run = make_run(planned("door"), session_id="tab-7")

    closed = client.get(f"/api/runs/{run.run_id}")
    settings.ZAP_OPEN_MODES = ("mock",)
    opened = client.get(f"/api/runs/{run.run_id}")

    assert (closed.status_code, opened.status_code) == (404, 200)
    body = opened.json()
    assert not {"sessionId", "userId", "principalId"} & set(body["run"])
    assert not {"idemKey", "providerRequestId"} & set(body["steps"][0])


def test_a_run_asks_the_same_few_questions_however_many_rows_it_has(client, film, as_alice, django_assert_num_queries):
    client.get("/api/runs", headers=as_alice)

    with django_assert_num_queries(8):  # token, savepoint, run, steps, attempts, assets, feedback, release
        client.get(f"/api/runs/{film.run_id}", headers=as_alice)


def test_the_log_tells_what_happened_page_by_page(client, film, as_alice):
    first = client.get(f"/api/runs/{film.run_id}/log?limit=1", headers=as_alice).json()

    assert [(event["seq"], event["type"], event["subject"], event["actor"]) for event in first["events"]] == [
        (1, "run.accepted", film.run_id, "test")
    ]
    assert first["nextCursor"] is None


def test_attempts_are_listed_with_their_steps(client, film, as_alice):
    body = client.get(f"/api/runs/{film.run_id}/attempts", headers=as_alice).json()

    assert [(one["stepId"], one["number"], one["providerRequestId"]) for one in body["attempts"]] == [
        ("door", 1, "job_9")
    ]


def test_pages_follow_each_other_without_gap_or_repeat(client, alice, as_alice):
    runs = [make_run(planned("door"), owner=alice) for _ in range(5)]
    Run.objects.update(started_at=NOON)  # all at the same moment: the order must still be total

    seen, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/runs?limit=2&cursor={cursor}", headers=as_alice).json()
        seen.append([run["runId"] for run in page["runs"]])
        cursor = page["nextCursor"]

    ids = [run.run_id for run in reversed(runs)]
    assert seen == [ids[:2], ids[2:4], ids[4:]]


def test_a_list_shows_the_callers_own_runs_and_staff_all(client, film, as_alice, as_bob, as_staff):
    def count(headers):
        return len(client.get("/api/runs", headers=headers).json()["runs"])

    assert (count(as_alice), count(as_bob), count(as_staff)) == (1, 0, 1)


def test_an_anonymous_list_needs_a_session_and_shows_only_its_runs(client, film, open_doors):
    mine = make_run(planned("door"), session_id="one")
    make_run(planned("door"), session_id="two")

    listed = client.get("/api/runs", headers={"X-Zap-Session": "one"}).json()["runs"]

    assert [run["runId"] for run in listed] == [mine.run_id]
    assert client.get("/api/runs").status_code == 401


def test_lists_are_filtered(client, film, as_alice):
    def count(query):
        return len(client.get(f"/api/runs?{query}", headers=as_alice).json()["runs"])

    assert [
        count(query)
        for query in ("status=queued", "status=done", "zapSlug=test", "zapSlug=x", "mode=mock", "mode=live")
    ] == [
        1,
        0,
        1,
        0,
        1,
        0,
    ]


def test_a_list_is_of_the_runs_begun_in_a_span_or_branched_off_one(client, alice, as_alice):
    first, second = (make_run(planned("door"), owner=alice) for _ in range(2))
    Run.objects.filter(pk=first.pk).update(started_at=NOON)
    Run.objects.filter(pk=second.pk).update(started_at=NOON + timedelta(hours=1), parent=first)

    def listed(query):
        return [run["runId"] for run in client.get(f"/api/runs?{query}", headers=as_alice).json()["runs"]]

    assert listed(f"since={NOON_MS}") == [second.run_id, first.run_id]
    assert listed(f"since={NOON_MS + 1}") == [second.run_id]
    assert listed(f"until={NOON_MS + 1}") == [first.run_id]
    assert listed(f"parentRunId={first.run_id}") == [second.run_id]


@pytest.mark.parametrize(
    "query",
    [
        "status=gone",
        "since=yesterday",
        "until=999999999999999",
        "parentRunId=%00",
        "mode=plan",
        "zapSlug=%00",
        "limit=0",
        "limit=101",
        "limit=x",
        "limit=%C2%B2",
        "cursor=x",
        "cursor=WyJhIiwiYiJd",
        "cursor=WyIyMDI2LTA1LTAxVDEyOjAwOjAwWiIsICIxZTQwMCJd",
        "cursor=" + "W1tb" * 500,
        "cursor=%C3%BC",
    ],
)
def test_a_bad_parameter_is_named(client, as_alice, query):
    answer = client.get(f"/api/runs?{query}", headers=as_alice)

    assert answer.status_code == 422, answer.content
    assert answer.json()["errors"][0]["path"] == query.partition("=")[0]


def test_a_list_asks_two_questions(client, film, as_alice, django_assert_num_queries):
    client.get("/api/runs", headers=as_alice)

    with django_assert_num_queries(2):  # token, runs
        client.get("/api/runs", headers=as_alice)


def test_info_is_for_staff_and_keeps_secrets(client, as_alice, as_staff, settings):
    settings.ZAP_POLL_DRAIN_SECRET = "very-secret"

    answer = client.get("/api/info", headers=as_staff)

    assert client.get("/api/info").status_code == 401
    assert client.get("/api/info", headers=as_alice).status_code == 403
    assert {"versions", "database", "broker", "storage", "providers", "beat"} <= set(answer.json())
    assert answer.json()["database"]["ok"] is True
    assert b"very-secret" not in answer.content
