import pytest
from jsonschema import Draft202012Validator

from runs.models import Run
from tests.integration.gates import gated, make_attempt
from tests.integration.recipes import DOOR

pytestmark = pytest.mark.django_db


@pytest.fixture
def schema(client):
    return client.get("/api/schema?format=json").json()


@pytest.fixture
def check(schema):
    """Hold a document against a component of the schema."""

    def against(name, document):
        whole = {"$ref": f"#/components/schemas/{name}", "components": schema["components"]}
        assert [error.message for error in Draft202012Validator(whole).iter_errors(document)] == []
        known = set(schema["components"]["schemas"][name]["properties"])
        assert set(document) <= known

    return against


def test_the_schema_is_one_of_openapi_31(schema):
    assert schema["openapi"].startswith("3.1")
    paths = """
        /api/zaps /api/zaps/run /api/zaps/validate /api/zaps/publish /api/zaps/{slug} /api/zaps/{slug}/plan
        /api/runs /api/runs/{run_id} /api/runs/{run_id}/events /api/runs/{run_id}/cancel /api/runs/{run_id}/attempts
        /api/runs/{run_id}/log /api/assets/{asset_id}/content /api/providers/poll/drain /api/info
        /api/runs/{run_id}/approve /api/runs/{run_id}/reject /api/runs/{run_id}/retry /api/runs/{run_id}/resume
        /api/runs/{run_id}/rerun-from /api/runs/{run_id}/fork /api/runs/{run_id}/feedback
    """
    assert set(paths.split()) <= set(schema["paths"])


def test_a_run_that_waits_is_what_the_schema_says(client, alice, as_alice, check):
    run = gated(alice)
    make_attempt(run, 1, score=[0.5])

    shown = client.get(f"/api/runs/{run.run_id}", headers=as_alice).json()

    check("RunDocument", shown)
    check("Waits", shown["steps"][0]["waits"])
    check("Choice", shown["steps"][0]["waits"]["choices"][0])
    check("AssetRow", shown["assets"][0])
    check("FeedbackRow", shown["feedback"][0])
    check("AttemptRow", shown["steps"][0]["attempts"][0])


@pytest.mark.parametrize("verb", "approve reject retry resume rerun-from fork feedback".split())
def test_every_verb_says_what_it_takes_and_that_it_may_be_sent_twice(verb, schema):
    operation = schema["paths"][f"/api/runs/{{run_id}}/{verb}"]["post"]

    assert "Idempotency-Key" in [one.get("name") for one in operation["parameters"]]
    body = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert schema["components"]["schemas"][body]["properties"]
    assert operation["description"]


def test_what_we_answer_is_what_the_schema_says(client, post, order, as_alice, as_staff, check):
    plan = post("/api/zaps/run", {**order, "mode": "plan"}, **as_alice).json()
    accepted = post("/api/zaps/run", order, **as_alice).json()
    shown = client.get(f"/api/runs/{accepted['runId']}", headers=as_alice).json()

    check("PlanDocument", plan)
    check("AcceptedDocument", accepted)
    check("RunDocument", shown)
    check("RunRow", shown["run"])
    check("StepRow", shown["steps"][0])
    check("RunPage", client.get("/api/runs", headers=as_alice).json())
    check("EventPage", client.get(f"/api/runs/{accepted['runId']}/log", headers=as_alice).json())
    check("ZapRow", post("/api/zaps/publish", {"source": DOOR, "visibility": "public"}, **as_alice).json())
    check("ZapPage", client.get("/api/zaps").json())
    check("ZapDocument", client.get("/api/zaps/blue-door").json())
    check("ValidateDocument", post("/api/zaps/validate", {"source": DOOR}).json())
    check("ValidateDocument", post("/api/zaps/validate", {"source": "x"}).json())
    check("Problem", client.get("/api/runs/run_0").json())
    assert Run.objects.count() == 1
