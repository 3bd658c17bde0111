"""The wire contract of senders and readers, as bytes on a socket."""

import hashlib
import hmac
import json

import pytest

from tests.integration.flows.making import step
from tests.integration.people import bearer, make_user

pytestmark = pytest.mark.django_db
SECRET = "s3cret-of-the-flows"


@pytest.fixture(autouse=True)
def secret(settings):
    settings.ZAP_FLOWS_SECRET = SECRET


@pytest.fixture
def key(db):
    return bearer(make_user("sam", staff=True))["Authorization"].removeprefix("Bearer ")


def call(client, method, path, body=None, *, key="", sign=True):
    raw = b"" if body is None else json.dumps(body).encode()
    headers = {"HTTP_X_API_KEY": key} if key else {}
    if body is not None and sign:
        headers["HTTP_X_FLOW_SIGNATURE_256"] = f"sha256={hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()}"
    return client.generic(method, f"/api/flows/{path}", raw, content_type="application/json", **headers)


def test_a_smoke(client, key):
    put = call(client, "PUT", "manifests/ci", {"version": 1, "steps": [step()]}, key=key, sign=False)
    assert put.status_code == 201, put.content
    sent = call(client, "POST", "events", {"id": "patch:a/b:1", "type": "pushed", "payload": {"a": 1}})
    assert sent.status_code == 202, sent.content
    (run_id,) = sent.json()["runIds"]
    got = call(client, "GET", "events/patch%3Aa%2Fb%3A1", key=key)
    assert got.json()["runs"][0]["id"] == run_id
    claimed = call(client, "POST", "claims", {"workerId": "w"}, key=key, sign=False).json()
    attempt, token = claimed["attemptId"], claimed["leaseToken"]
    for verb, body in (
        ("heartbeat", {}),
        ("output", {"output": [{"seq": 1, "kind": "stdout", "text": "hi"}]}),
        ("complete", {"result": {"status": "blocked"}}),
    ):
        answer = call(client, "POST", f"attempts/{attempt}/{verb}", {"leaseToken": token, **body}, key=key, sign=False)
        assert answer.status_code == 200, answer.content
    run = call(client, "GET", f"runs/{run_id}", key=key).json()["run"]
    assert (run["status"], run["effectiveStatus"], run["output"][0]["text"]) == ("completed", "blocked", "hi")
    replayed = call(client, "POST", "events/patch%3Aa%2Fb%3A1/replay", {})
    assert replayed.status_code == 202, replayed.content
    canceled = call(client, "POST", f"runs/{replayed.json()['runIds'][0]}/cancel", {})
    assert canceled.json()["run"]["status"] == "canceled"
    listed = call(client, "GET", "runs?eventId=patch%3Aa%2Fb%3A1&status=blocked&limit=0", key=key).json()
    assert [one["id"] for one in listed["runs"]] == [run_id]
    assert call(client, "POST", "claims", {"workerId": "w"}, key=key).status_code == 204
    assert call(client, "GET", "runs").status_code == 401
    assert call(client, "POST", "events", {"id": "x", "type": "y"}, sign=False).status_code == 401
