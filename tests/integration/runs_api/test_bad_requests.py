import base64

import pytest

from media.mock import mock_media
from runs.models import Run
from tests.integration.recipes import DOOR

pytestmark = pytest.mark.django_db
PROBLEM = {"type", "title", "status", "code", "detail", "remediation", "retryable", "errors"}


def check_problem(answer, status, code):
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code), body
    assert answer["Content-Type"] == "application/problem+json"
    assert PROBLEM <= set(body)
    assert body["status"] == status
    assert not Run.objects.exists()
    return body


@pytest.mark.parametrize(
    "body",
    [
        b" ",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"slug": NaN}',
        b'{"maxUsd": 1e999}',
        b"[" * 100_000,
        b'{"slug": "\\u0000"}',
        b'{"slug": "\\ud800"}',
        b'{"x": {"\\udfff": 1}}',
    ],
)
def test_what_is_not_one_json_object_is_malformed(client, as_alice, body):
    answer = client.post("/api/zaps/run", body, content_type="application/json", headers=as_alice)

    check_problem(answer, 400, "MALFORMED_REQUEST")


def test_an_escaped_backslash_before_u0000_is_plain_text(client, as_alice):
    answer = client.post("/api/zaps/run", rb'{"slug": "\\u0000"}', content_type="application/json", headers=as_alice)

    check_problem(answer, 404, "NOT_FOUND")


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"sluk": "x"}, "sluk", "FIELD_UNKNOWN"),
        ({"extendCount": 65}, "extendCount", "FIELD_INVALID"),
        ({"extendCount": -1}, "extendCount", "FIELD_INVALID"),
        ({"extendCount": "3"}, "extendCount", "FIELD_INVALID"),
        ({"extendCount": 10**300}, "extendCount", "FIELD_INVALID"),
        ({"extendCount": True}, "extendCount", "FIELD_INVALID"),
        ({"mode": "fast"}, "mode", "FIELD_INVALID"),
        ({"mode": None}, "mode", "FIELD_REQUIRED"),
        ({"mode": "mock", "live": True}, "mode", "MODE_AMBIGUOUS"),
        ({"live": "yes"}, "live", "FIELD_INVALID"),
        ({"inputs": []}, "inputs", "FIELD_INVALID"),
        ({"prompts": {"prompts/a.md": 5}}, "prompts.prompts/a.md", "FIELD_INVALID"),
        ({"maxUsd": "5"}, "maxUsd", "FIELD_INVALID"),
        ({"maxUsd": -1}, "maxUsd", "FIELD_INVALID"),
        ({"slug": "blue-door"}, "slug", "RECIPE_AMBIGUOUS"),
        ({"source": 5}, "source", "FIELD_INVALID"),
    ],
)
def test_a_wrong_field_is_named(post, order, as_alice, change, path, code):
    body = check_problem(post("/api/zaps/run", {**order, **change}, **as_alice), 422, "INVALID_REQUEST")

    assert [(error["path"], error["code"]) for error in body["errors"]] == [(path, code)]


def test_an_unknown_field_comes_with_a_guess(post, order, as_alice):
    body = post("/api/zaps/run", {**order, "extndCount": 1}, **as_alice).json()

    assert "Did you mean 'extendCount'?" in body["errors"][0]["message"]


def test_all_wrong_fields_are_named_at_once(post, order, as_alice):
    body = post("/api/zaps/run", {**order, "extendCount": 99, "live": 1, "huh": 1}, **as_alice).json()

    assert {error["path"] for error in body["errors"]} == {"extendCount", "live", "huh"}


def test_a_broken_recipe_says_where(post, order, as_alice):
    answer = post("/api/zaps/run", {**order, "source": DOOR.replace("kind: stitch", "kind: stich")}, **as_alice)

    body = answer.json()
    assert answer.status_code == 422
    assert body["errors"]
    assert body["errors"][0]["line"]
    assert not Run.objects.exists()


def test_a_missing_input_is_named(post, order, as_alice):
    answer = post("/api/zaps/run", {**order, "inputs": {}}, **as_alice)

    assert answer.status_code == 422
    assert [error["path"] for error in answer.json()["errors"]] == ["inputs.NAME"]
    assert not Run.objects.exists()


def test_an_unknown_slug_is_not_found(post, as_alice):
    check_problem(post("/api/zaps/run", {"slug": "no-such-zap"}, **as_alice), 404, "NOT_FOUND")


def test_a_body_beyond_a_megabyte_is_too_large(post, order, as_alice):
    order["inputs"]["NAME"] = "x" * 1_100_000

    check_problem(post("/api/zaps/run", order, **as_alice), 413, "BODY_TOO_LARGE")


def test_media_does_not_count_towards_the_megabyte(post, order, as_alice):
    png = base64.b64encode(mock_media("png", seed="a photo") + b"0" * 1_500_000).decode()
    order["inputs"]["PHOTO"] = f"data:image/png;base64,{png}"

    assert post("/api/zaps/run", order, **as_alice).status_code == 202


def test_more_than_twenty_megabytes_of_media_are_refused(post, order, as_alice):
    png = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"0" * 20 * 1024 * 1024).decode()
    order["inputs"]["PHOTO"] = f"data:image/png;base64,{png}"

    answer = post("/api/zaps/run", order, **as_alice)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "INPUT_TOO_LARGE"
    assert not Run.objects.exists()


def test_another_content_type_is_not_read(client, as_alice):
    answer = client.post("/api/zaps/run", "slug=x", content_type="application/x-www-form-urlencoded", headers=as_alice)

    check_problem(answer, 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("get", "/api/zaps/run", "POST"),
        ("delete", "/api/runs", "GET"),
        ("post", "/api/assets/asset_0/content", "GET, HEAD"),
        ("put", "/api/runs/run_0/events", "GET"),
        ("get", "/api/providers/poll/drain", "POST"),
    ],
)
def test_a_wrong_method_is_refused(client, as_alice, method, path, allowed):
    answer = getattr(client, method)(path, headers=as_alice)

    check_problem(answer, 405, "METHOD_NOT_ALLOWED")
    assert allowed in answer["Allow"]


@pytest.mark.parametrize(
    "path", ["/api/nothing", "/api/runs/x", "/api/runs/run_%00", "/api/zaps/a%00b", "/api/zaps/UPPER", "/api/"]
)
def test_an_address_that_there_is_not_is_a_problem_too(client, path):
    check_problem(client.get(path), 404, "NOT_FOUND")


@pytest.mark.parametrize("session", ["", "a b", "x" * 81, "ü"])
def test_a_session_name_that_is_none_is_refused(post, order, as_alice, session):
    check_problem(post("/api/zaps/run", order, **as_alice, **{"X-Zap-Session": session}), 422, "INVALID_INPUT")


def test_what_we_did_not_foresee_says_nothing_of_itself(post, order, as_alice, monkeypatch):
    def burst(**_):
        raise RuntimeError("secret-inside")

    monkeypatch.setattr("runs.order.start_run", burst)

    answer = post("/api/zaps/run", order, **as_alice, **{"Idempotency-Key": "k"})

    check_problem(answer, 500, "INTERNAL")
    assert b"secret-inside" not in answer.content
    assert b"RuntimeError" not in answer.content


def test_a_run_that_breaks_halfway_leaves_nothing(post, order, as_alice, monkeypatch):
    def burst(*_, **__):
        raise RuntimeError

    monkeypatch.setattr("runs.engine.start.RunEvent.objects.create", burst)

    check_problem(post("/api/zaps/run", order, **as_alice), 500, "INTERNAL")
