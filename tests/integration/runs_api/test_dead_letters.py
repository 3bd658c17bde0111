from datetime import timedelta

import pytest
from jsonschema import Draft202012Validator

from accounts.caller import Scope
from runs.models import Run
from tests.factories import make_run, planned
from tests.integration.money import NOON, bury
from tests.integration.people import bearer, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def redrive(post):
    def send(headers, *run_ids, status=200, **more):
        answer = post("/api/dead-letters/redrive", {"runIds": list(run_ids), **more}, **headers)
        assert answer.status_code == status, answer.content
        return answer.json()

    return send


def test_only_staff_see_and_redrive_dead_letters(client, redrive, as_alice, alice):
    run = bury(owner=alice)

    assert client.get("/api/dead-letters").status_code == 401
    assert client.get("/api/dead-letters", headers=as_alice).status_code == 403
    redrive({}, run.run_id, status=401)
    redrive(as_alice, run.run_id, status=403)

    run.refresh_from_db()
    assert run.status == "failed"


def test_a_dead_letter_says_what_failed_why_and_what_it_cost(client, alice, as_staff):
    run = bury(owner=alice)
    make_run(planned("going"))

    page = client.get("/api/dead-letters", headers=as_staff).json()

    assert page["nextCursor"] is None
    assert page["deadLetters"] == [
        {
            "runId": run.run_id,
            "stepId": "clip",
            "zapSlug": "test",
            "providerMode": "mock",
            "userId": str(alice.pk),
            "kind": "image.gen",
            "provider": "mock",
            "model": "mock/image.gen",
            "error": "PROVIDER_UNAVAILABLE",
            "errorDetail": {
                "code": "PROVIDER_UNAVAILABLE",
                "message": "The provider is busy or down.",
                "remediation": "Run again later.",
                "retryable": True,
            },
            "costUsd": 0.25,
            "failedAt": 1777636800000,
        }
    ]


def test_the_newest_come_first_page_by_page(client, as_staff, django_assert_max_num_queries):
    runs = [bury(at=NOON + timedelta(minutes=minutes)) for minutes in (0, 0, 5)]

    first = client.get("/api/dead-letters?limit=2", headers=as_staff).json()
    with django_assert_max_num_queries(4):
        second = client.get(f"/api/dead-letters?limit=2&cursor={first['nextCursor']}", headers=as_staff).json()

    seen = [letter["runId"] for letter in first["deadLetters"] + second["deadLetters"]]
    assert seen == [run.run_id for run in reversed(runs)]
    assert second["nextCursor"] is None


def test_staff_redrive_and_are_told_what_became_of_each(redrive, as_staff):
    fine, poor = bury(), bury()
    Run.objects.filter(pk=poor.pk).update(cap_usd=0)

    told = redrive(as_staff, fine.run_id, poor.run_id, "run_nowhere", comment="it is up again")

    assert told["redrivenCount"] == 1
    assert told["results"][0] == {
        "runId": fine.run_id,
        "stepIds": ["clip"],
        "redriven": True,
        "error": None,
        "message": None,
    }
    assert [(row["redriven"], row["error"]) for row in told["results"][1:]] == [
        (False, "BUDGET_EXCEEDED"),
        (False, "NOT_FOUND"),
    ]
    fine.refresh_from_db()
    assert (fine.status, fine.feedback.get().comment) == ("running", "it is up again")


def test_a_token_that_may_not_spend_redrives_no_live_run(redrive):
    sam = make_user("sam", staff=True)
    mock, live = bury(), bury(mode="live")
    token = bearer(sam, [Scope.READ, Scope.RUN])

    redrive(token, mock.run_id, live.run_id, status=403)
    assert redrive(token, mock.run_id)["redrivenCount"] == 1
    redrive(bearer(sam, [Scope.READ]), mock.run_id, status=403)

    live.refresh_from_db()
    assert live.status == "failed"


@pytest.mark.parametrize(
    "body",
    [{}, {"runIds": []}, {"runIds": "run_1"}, {"runIds": ["run_1"], "force": True}, {"runIds": ["run_1"] * 101}],
)
def test_what_names_no_runs_is_refused(post, as_staff, body):
    assert post("/api/dead-letters/redrive", body, **as_staff).status_code == 422


def test_the_answers_are_what_the_schema_says(client, redrive, as_staff):
    run = bury()
    schema = client.get("/api/schema?format=json").json()

    def check(name, document):
        whole = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        assert [error.message for error in Draft202012Validator(whole).iter_errors(document)] == []
        assert set(document) <= set(schema["components"]["schemas"][name]["properties"])

    page = client.get("/api/dead-letters", headers=as_staff).json()
    check("DeadLetterPage", page)
    check("DeadLetterRow", page["deadLetters"][0])
    told = redrive(as_staff, run.run_id, "run_nowhere")
    check("RedriveDocument", told)
    check("RedriveRow", told["results"][1])


def test_dead_letters_are_narrowed(client, as_staff):
    bury()

    def count(query):
        return len(client.get(f"/api/dead-letters?{query}", headers=as_staff).json()["deadLetters"])

    provider = client.get("/api/dead-letters", headers=as_staff).json()["deadLetters"][0]["provider"]
    assert [count("zapSlug=test"), count("zapSlug=x"), count(f"provider={provider}"), count("provider=x")] == [
        1, 0, 1, 0,
    ]  # fmt: skip
    assert [count("since=0"), count("since=253402300799999")] == [1, 0]
