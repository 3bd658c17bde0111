"""The address at which providers call: who comes in, at what cost, and that nobody else learns or changes a thing."""

import asyncio
import json
import logging
from io import StringIO
from types import SimpleNamespace

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.asgi import get_asgi_application
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from config.logs import OneLine
from providers.emulator.signers import Standard
from providers.registry import PROVIDERS
from runs import dispatch
from runs.engine.callbacks import digest_of
from runs.models import Attempt, RunEvent, Webhook
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "0123456789abcdef" * 2
SIGNER = Standard(b"a secret of the account's, 32 b.")
NOW = 1_900_000_000
BODY = b'{"id": "job-1", "status": "succeeded", "input": {"prompt": "a red kite"}}'


@pytest.fixture(autouse=True)
def quiet(monkeypatch):
    """Nobody answers the bells; the clock of the door stands still; the secret was set by hand."""
    monkeypatch.setattr("runs.api.webhooks.time", SimpleNamespace(time=lambda: float(NOW)))
    monkeypatch.setenv("REPLICATE_API_TOKEN", "r8_key-of-the-operator")
    monkeypatch.setenv("REPLICATE_WEBHOOK_SECRET", SIGNER.secret)
    monkeypatch.setenv("RUNWARE_API_KEY", "rw_key-of-the-operator")
    for name in ("ring_advance", "ring_begin", "ring_poll", "ring_settle"):
        monkeypatch.setattr(dispatch, name, lambda *_: True)


@pytest.fixture
def attempt():
    """A job at Replicate's, which was told to call."""
    return waiting("replicate")


def waiting(provider):
    run = make_run(planned("a"))
    found = Attempt(
        run=run, step=run.steps.get(), number=1, idem_key=f"idem-{provider}", provider=provider, capability="image.gen",
        quote_usd=0, status="accepted", provider_request_id="job-1", webhook_digest=digest_of(TOKEN),
        key_source="operator",
    )  # fmt: skip
    found.save()
    return found


@pytest.fixture
def call(client):
    """POST as the provider does; the status. `sign` makes the headers."""

    def send(body=BODY, *, provider="replicate", token=TOKEN, at=NOW, headers=None, **signing):
        signed = SIGNER.headers("msg_1", body, at, wrong=False) if headers is None else headers
        path = f"/api/providers/{provider}/webhook/{token}"
        return client.post(path, body, content_type="application/json", headers={**signed, **signing})

    return send


def facts():
    """Everything that a webhook could have changed."""
    rows = Attempt.objects.values_list("status", "due_at", "heard_at", "provider_request_id", "lease_token", "error")
    return list(rows), list(RunEvent.objects.values_list("seq", "type")), Webhook.objects.count()


def test_the_way_in_costs_two_queries(attempt, call, django_assert_num_queries):
    with django_assert_num_queries(2):
        answer = call()

    assert (answer.status_code, answer.content, answer.cookies) == (200, b"", {})


def test_nobody_else_costs_more_than_one(attempt, call, django_assert_num_queries):
    for wrong in ({"token": "f" * 32}, {"provider": "fal"}, {"at": NOW - 301}, {"headers": {}}):
        with django_assert_num_queries(1):
            assert call(**wrong).status_code in (401, 404)


def test_a_secret_that_the_operator_set_is_that_of_the_operators_account_alone(attempt, call, monkeypatch):
    """Whoever signs with it can still not speak for an account of somebody else's."""
    monkeypatch.setenv("REPLICATE_BASE_URL", "http://127.0.0.1:9")
    Attempt.objects.update(key_source="creator")
    before = facts()

    assert call().status_code == 503
    assert facts() == before


def test_what_is_no_token_costs_none(attempt, call, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert call(token="f" * 31).status_code == 404
        assert call(token=f"{TOKEN}0").status_code == 404
        assert call(b"x" * 1_000_001).status_code == 413


def test_an_event_is_put_down_once_whatever_its_body_says(attempt, call):
    other = BODY.replace(b"succeeded", b"processing")

    statuses = [call().status_code, call().status_code, call(other).status_code]

    assert statuses == [200, 200, 200]
    assert [(one.event_id, one.outcome, one.request_id) for one in Webhook.objects.all()] == [
        ("msg_1", "rung", "job-1")
    ]


def test_no_more_than_a_hundred_of_one_job_are_kept(attempt, call):
    for number in range(102):
        call(headers=SIGNER.headers(f"msg_{number}", BODY, NOW, wrong=False))

    assert Webhook.objects.count() == 100


def test_another_job_is_not_known_here(attempt, call):
    before = facts()

    answer = call(BODY.replace(b"job-1", b"job-2"))

    assert (answer.status_code, facts()) == (404, before)


def test_a_token_opens_the_door_of_its_own_provider_only(call):
    waiting("runware")
    before = facts()

    assert call().status_code == 404
    assert facts() == before


@pytest.mark.parametrize(
    ("wrong", "status", "code"),
    [
        ({"headers": {}}, 401, "WEBHOOK_REFUSED"),
        ({"at": NOW - 301}, 401, "WEBHOOK_REFUSED"),
        ({"at": NOW + 301}, 401, "WEBHOOK_REFUSED"),
        ({"body": b"[]"}, 401, "WEBHOOK_REFUSED"),
        ({"webhook-signature": "v1,AAAA"}, 401, "WEBHOOK_REFUSED"),
        ({"token": "f" * 32}, 404, "NOT_FOUND"),
        ({"provider": "nobody"}, 404, "NOT_FOUND"),
        ({"body": b"x" * 1_000_001}, 413, "BODY_TOO_LARGE"),
    ],
)
def test_who_is_refused_learns_nothing(attempt, call, wrong, status, code):
    before = facts()

    answer = call(**wrong)

    assert (answer.status_code, answer.json()["code"], answer["Content-Type"]) == (
        status,
        code,
        "application/problem+json",
    )
    assert facts() == before
    same = {"WEBHOOK_REFUSED": call(headers={}), "NOT_FOUND": call(token="e" * 32)}.get(code, answer)
    assert answer.json() == same.json()


def test_the_largest_that_is_taken_is_a_megabyte(attempt, call):
    padded = BODY + b" " * (1_000_000 - len(BODY))

    assert [call(padded).status_code, call(padded + b" ").status_code] == [200, 413]


@pytest.mark.parametrize("length", ["²", "-1", "x", "9" * 5000])
def test_a_length_that_is_none_breaks_nothing(attempt, call, length):
    assert call(headers={"content-length": length}).status_code in (401, 413)


@pytest.mark.parametrize("method", ["get", "put", "delete", "patch", "options"])
def test_only_a_post_is_answered(attempt, client, method):
    answer = getattr(client, method)(f"/api/providers/replicate/webhook/{TOKEN}")

    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_it_needs_no_login_no_session_and_no_csrf_token(attempt, client, call):
    client.handler.enforce_csrf_checks = True

    assert call().status_code == 200


def test_a_body_without_a_length_is_read_no_further_than_it_may_be_long(attempt):
    status = asyncio.run(in_pieces([b"x" * 250_000] * 5))

    assert status == 413


async def in_pieces(pieces):
    """The status that the ASGI application answers to a body of unknown length."""
    scope = {
        "type": "http", "method": "POST", "path": f"/api/providers/replicate/webhook/{TOKEN}", "query_string": b"",
        "headers": [(b"host", b"127.0.0.1"), (b"transfer-encoding", b"chunked")],
    }  # fmt: skip
    talk = ApplicationCommunicator(get_asgi_application(), scope)
    for number, piece in enumerate(pieces, 1):
        await talk.send_input({"type": "http.request", "body": piece, "more_body": number < len(pieces)})
    answer = await talk.receive_output(10)
    await talk.receive_output(10)
    await talk.wait(10)
    return answer["status"]


NAMES = st.sampled_from(
    [
        *("webhook-id", "webhook-timestamp", "webhook-signature", "content-type", "content-length"),
        *(f"x-fal-webhook-{name}" for name in ("request-id", "user-id", "timestamp", "signature")),
        *("x-openrouter-signature", "x-openrouter-idempotency-key", "authorization", "cookie", "x-csrftoken"),
    ]
)
PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=80)
VALUES = PRINTABLE | st.sampled_from(
    [str(NOW), "v1,", "v1,AAAA v1,", "t=1,v1=00", f"t={NOW},v1=", "²", "-1", "1e9", "00"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["job-2", "x" * 301]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "data", "errors", "taskUUID", "request_id"]), inner, max_size=3)
    ),
    max_leaves=8,
)
BODIES = st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode())
slow_fixtures = examples(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.mark.parametrize("provider", sorted(one.name for one in PROVIDERS if one.webhooks != "none"))
def test_whatever_is_sent_nothing_breaks_changes_or_is_told(provider, client, monkeypatch):
    for name in ("FAL_KEY", "OPENROUTER_API_KEY", "OPENROUTER_WEBHOOK_SECRET"):
        monkeypatch.setenv(name, "kite-secret")
    monkeypatch.setenv("FAL_BASE_URL", "http://127.0.0.1:9")
    waiting(provider)
    before, log = facts(), StringIO()
    handler = logging.StreamHandler(log)
    handler.setFormatter(OneLine())
    monkeypatch.setattr(logging.getLogger(), "handlers", [handler])

    @slow_fixtures
    @given(body=BODIES, headers=st.dictionaries(NAMES, VALUES, max_size=6), token=st.sampled_from([TOKEN, "a" * 32]))
    def send(body, headers, token):
        headers.pop("content-length", None)
        kind = headers.pop("content-type", "application/json")
        answer = client.post(f"/api/providers/{provider}/webhook/{token}", body, content_type=kind, headers=headers)
        assert answer.status_code in (401, 404, 503)

    send()

    assert facts() == before
    assert log.getvalue()
    for secret in (TOKEN, "kite-secret", SIGNER.secret, "key-of-the-operator", "Traceback"):
        assert secret not in log.getvalue()
