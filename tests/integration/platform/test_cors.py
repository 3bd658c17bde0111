"""Pages of other origins, as their browsers ask for them."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import doors
from config.env import Environment
from tests.integration.people import bearer, make_user

pytestmark = pytest.mark.django_db
APP = "https://app.example.com"


@pytest.fixture
def _named(settings):
    settings.CORS_ALLOWED_ORIGINS = [APP]


def preflight(client, path, origin, method="POST", headers="authorization,idempotency-key"):
    asked = {"Origin": origin, "Access-Control-Request-Method": method, "Access-Control-Request-Headers": headers}
    return client.options(path, headers=asked)


def test_no_other_origin_may_ask_unless_it_is_named(client):
    assert "Access-Control-Allow-Origin" not in client.get("/api/zaps", headers={"Origin": APP})
    assert "Access-Control-Allow-Origin" not in preflight(client, "/api/zaps/run", APP)


@pytest.mark.usefixtures("_named")
def test_a_named_origin_may_ask_with_a_key_and_read_what_it_needs(client):
    asked = preflight(client, "/api/zaps/run", APP)
    given = client.get("/api/zaps", headers={"Origin": APP, **bearer(make_user("alice"))})

    assert asked["Access-Control-Allow-Origin"] == APP
    assert "idempotency-key" in asked["Access-Control-Allow-Headers"]
    assert given["Access-Control-Allow-Origin"] == APP
    assert given["Access-Control-Expose-Headers"] == "content-range, etag, idempotency-replayed, location, retry-after"
    assert "origin" in given["Vary"]


@pytest.mark.usefixtures("_named")
@pytest.mark.parametrize(
    "origin", ["https://evil.example", "https://app.example.com.evil.example", "http://app.example.com", "null"]
)
def test_nobody_else_may(client, origin):
    assert "Access-Control-Allow-Origin" not in preflight(client, "/api/zaps/run", origin)


@pytest.mark.usefixtures("_named")
def test_a_refusal_is_told_too_and_the_admin_is_not_opened(client):
    refused = client.get("/api/runs/run_none/events", headers={"Origin": APP})

    assert (refused.status_code, refused["Access-Control-Allow-Origin"]) == (404, APP)
    assert "Access-Control-Allow-Origin" not in client.get("/admin/login/", headers={"Origin": APP})


@pytest.mark.parametrize("value", ["app.example.com", "https://app.example.com/", "*", "https://", "ftp://x.example"])
def test_what_is_no_origin_stops_the_start(value):
    env = Environment({"ZAP_CORS_ORIGINS": f"https://ok.example, {value}"})
    doors.read(env)

    with pytest.raises(ImproperlyConfigured, match="ZAP_CORS_ORIGINS"):
        env.check()
