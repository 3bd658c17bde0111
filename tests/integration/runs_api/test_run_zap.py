import pytest

from accounts.models import IdempotencyKey
from runs.models import Run, RunEvent, Step
from tests.integration.people import bearer
from tests.integration.recipes import DOOR
from zaps import catalogue

pytestmark = pytest.mark.django_db
STEPS = ["door", "opens", "film"]


def nothing_was_written():
    return not (
        Run.objects.exists() or Step.objects.exists() or RunEvent.objects.exists() or IdempotencyKey.objects.exists()
    )


def test_a_plan_shows_steps_and_prompts_and_writes_nothing(post, order, as_alice):
    answer = post("/api/zaps/run", {**order, "mode": "plan"}, **as_alice)

    plan = answer.json()
    assert answer.status_code == 200
    assert (plan["runId"], plan["status"], plan["slug"], plan["quoteUsd"], plan["capUsd"]) == (
        None,
        "planned",
        "blue-door",
        0.0,
        5.0,
    )
    assert [step["stepId"] for step in plan["steps"]] == STEPS
    assert [step["parents"] for step in plan["steps"]] == [[], ["door"], ["opens"]]
    assert plan["steps"][0]["prompt"] == "A blue door for Ada"
    assert {step["status"] for step in plan["steps"]} == {"planned"}
    assert nothing_was_written()


def test_a_mock_run_is_accepted_with_its_steps_and_its_addresses(post, order, as_alice, alice):
    answer = post("/api/zaps/run", order, **as_alice)

    given = answer.json()
    run = Run.objects.get()
    assert answer.status_code == 202
    assert given["runId"] == run.run_id
    assert given["status"] == "queued"
    assert given["statusUrl"] == f"/api/runs/{run.run_id}" == answer["Location"]
    assert given["eventsUrl"] == f"/api/runs/{run.run_id}/events"
    assert [step["stepId"] for step in given["steps"]] == STEPS
    assert "prompt" not in given["steps"][0]
    assert (run.owner, run.provider_mode, run.zap_slug, run.source) == (alice, "mock", "blue-door", DOOR)
    assert run.principal_id.startswith("token:zap_")
    assert list(run.steps.values_list("step_id", flat=True)) == STEPS


def test_addresses_begin_with_the_public_one_where_it_is_set(post, order, as_alice, settings):
    settings.ZAP_PUBLIC_URL = "https://zap.example/"

    given = post("/api/zaps/run", order, **as_alice).json()

    assert given["statusUrl"] == f"https://zap.example/api/runs/{given['runId']}"


def test_neither_mode_nor_live_is_a_mock_run(post, order, as_alice):
    del order["mode"]

    assert post("/api/zaps/run", order, **as_alice).status_code == 202
    assert Run.objects.get().provider_mode == "mock"


def test_the_old_word_dry_run_plans(post, order, as_alice):
    del order["mode"]

    assert post("/api/zaps/run", {**order, "dryRun": True, "live": True}, **as_alice).json()["status"] == "planned"
    assert nothing_was_written()


def test_a_run_by_slug_takes_the_newest_published_version(post, as_alice, alice):
    catalogue.publish(catalogue.Entry(source=DOOR, visibility="public"), author=alice)
    newer = DOOR.replace("A blue door", "A very blue door")
    catalogue.publish(catalogue.Entry(source=newer), author=alice)

    answer = post("/api/zaps/run", {"slug": "blue-door", "inputs": {"NAME": "Ada"}}, **as_alice)

    run = Run.objects.get()
    assert answer.status_code == 202
    assert (run.zap_version, run.source) == (2, newer)


def test_a_publish_afterwards_does_not_change_the_run(post, as_alice, alice):
    catalogue.publish(catalogue.Entry(source=DOOR, visibility="public"), author=alice)
    post("/api/zaps/run", {"slug": "blue-door", "inputs": {"NAME": "Ada"}}, **as_alice)

    catalogue.publish(catalogue.Entry(source=DOOR.replace("A blue door", "A red door")), author=alice)

    assert Run.objects.get().source == DOOR


def test_the_session_header_is_kept_with_the_run(post, order, as_alice):
    post("/api/zaps/run", order, **as_alice, **{"X-Zap-Session": "tab-7"})

    assert Run.objects.get().session_id == "tab-7"


def test_a_browsers_cookie_is_never_kept_with_the_run(client, order, alice):
    client.force_login(alice)

    answer = client.post("/api/zaps/run", order, content_type="application/json")

    run = Run.objects.get()
    assert answer.status_code == 202
    assert run.principal_id == f"user:{alice.pk}"
    assert run.session_id.startswith("browser-")
    assert client.session.session_key not in run.session_id


def test_a_browser_without_the_csrf_token_is_refused(order, alice):
    from django.test import Client

    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)

    answer = client.post("/api/zaps/run", order, content_type="application/json")

    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert nothing_was_written()


@pytest.mark.parametrize("mode", ["plan", "mock", "live"])
def test_nobody_runs_anything_unknown_unless_the_mode_is_open(post, order, mode):
    answer = post("/api/zaps/run", {**order, "mode": mode})

    assert (answer.status_code, answer.json()["code"]) == (401, "NOT_AUTHENTICATED")
    assert nothing_was_written()


@pytest.mark.parametrize(("mode", "status"), [("plan", 200), ("mock", 202), ("live", 401)])
def test_an_open_server_never_opens_live(post, order, open_doors, mode, status):
    assert post("/api/zaps/run", {**order, "mode": mode}).status_code == status


def test_a_token_without_the_live_scope_spends_nothing(post, order, alice):
    answer = post("/api/zaps/run", {**order, "mode": "live"}, **bearer(alice, ["read", "run"]))

    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")
    assert nothing_was_written()


def test_a_wrong_token_is_refused_even_where_doors_are_open(post, order, open_doors):
    answer = post("/api/zaps/run", order, Authorization="Bearer zap_wrong")

    assert (answer.status_code, answer.json()["code"]) == (401, "CREDENTIALS_REFUSED")
    assert answer["WWW-Authenticate"] == 'Bearer realm="zap"'
    assert nothing_was_written()


def test_a_mock_run_asks_the_database_little(post, order, as_alice, django_assert_max_num_queries):
    post("/api/zaps/run", order, **as_alice)

    with django_assert_max_num_queries(7):  # token; savepoint, run, steps, event, release; one spare
        post("/api/zaps/run", order, **as_alice)
