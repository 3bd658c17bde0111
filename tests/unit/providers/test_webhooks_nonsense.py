"""Whatever calls us, an adapter names a job or refuses in our own words; and nobody can sign with nothing."""

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from providers import webhooks
from providers.adapters.fal import Fal
from providers.adapters.openrouter import OpenRouter
from providers.adapters.replicate import Replicate
from providers.adapters.runware import Runware
from providers.contract import Hint, Hook, Reply
from providers.errors import ProviderError, WebhookRefused
from providers.registry import PROVIDERS
from tests.unit.providers.test_fal_nonsense import hold

NOW = 1_900_000_000
ADAPTERS = {"fal": Fal, "openrouter": OpenRouter, "replicate": Replicate, "runware": Runware}
NAMES = [
    *("webhook-id", "webhook-timestamp", "webhook-signature"),
    *(f"x-fal-webhook-{name}" for name in ("request-id", "user-id", "timestamp", "signature")),
    *("x-openrouter-signature", "x-openrouter-idempotency-key"),
]
VALUES = st.text(max_size=40) | st.sampled_from(
    [str(NOW), "٣", "²", "-1", "1e9", "9" * 5000, "v1", "v1,", "v1,AA==", f"t={NOW},v1=00", "t=,v1=", "00" * 64, "zz"]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "data", "errors", "taskUUID", "request_id", "keys", "x", "key"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)
BODIES = st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode())
REPLIES = st.builds(
    Reply, status=st.sampled_from([200, 200, 200, 301, 401, 404, 500]), headers=st.just({}), body=BODIES
)


def test_every_adapter_that_is_called_is_played():
    assert set(ADAPTERS) == {provider.name for provider in PROVIDERS if provider.webhooks != "none"}


@pytest.mark.parametrize("name", ADAPTERS)
def test_a_webhook_names_a_job_or_is_refused(name):
    @settings(deadline=None, max_examples=300)
    @given(
        headers=st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, VALUES)),
        body=BODIES,
        secret=st.sampled_from(["", "s", "whsec_", "whsec_!"]),
        replies=st.lists(REPLIES, min_size=2, max_size=2),
    )
    @example(
        headers=dict.fromkeys(NAMES, str(NOW)),
        body=b"{}",
        secret="",
        replies=[Reply(status=200, headers={}, body=b"{}")] * 2,
    )
    def read(headers, body, secret, replies):
        hook = Hook(headers=headers, body=body, received_at=NOW)

        seen = hold(ADAPTERS[name]().read_webhook(hook, key="k", secret=secret), replies)

        assert isinstance(seen, ProviderError | Hint)
        if isinstance(seen, Hint):
            assert seen.request_id.isprintable()
            assert name == "runware" or (name == "openrouter" and not secret)

    read()


SECRET = b"0123456789abcdef01234567"


def signed(body, *, at=NOW, secret=SECRET, event="msg_1", pad=""):
    digest = hmac.new(secret, f"{event}.{at}.".encode() + body, hashlib.sha256).digest()
    text = base64.b64encode(digest).decode() + pad
    headers = {"webhook-id": event, "webhook-timestamp": str(at), "webhook-signature": f"v1,AAAA v1a,x v1,{text}"}
    return Hook(headers=headers, body=body, received_at=NOW)


def read(hook, secret):
    return hold(Replicate().read_webhook(hook, key="k", secret=secret), [])


def test_of_several_signatures_one_must_be_right():
    secret = f"whsec_{base64.b64encode(SECRET).decode()}"

    assert read(signed(b'{"id": "job"}'), secret) == Hint(request_id="job", event_id="msg_1")
    assert isinstance(read(signed(b'{"id": "job"}', secret=b"other"), secret), WebhookRefused)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_=", "whsec_!!!"])
def test_an_empty_secret_signs_nothing(secret):
    assert isinstance(read(signed(b'{"id": "job"}', secret=b""), secret), WebhookRefused)
    assert not webhooks.signs(b"", b"m", [hmac.new(b"", b"m", hashlib.sha256).digest()])


@given(content=st.binary(max_size=100))
def test_base64_is_read_in_every_spelling(content):
    plain = base64.b64encode(content).decode()

    spellings = {plain, plain.rstrip("="), base64.urlsafe_b64encode(content).decode(), plain + "=="}

    assert {webhooks.unbase64(one) for one in spellings} == {content}


@given(text=st.text(max_size=30))
def test_what_is_no_number_in_base64_or_hexadecimal_is_nothing(text):
    assert isinstance(webhooks.unbase64(text), bytes)
    assert isinstance(webhooks.unhex(text), bytes)


@pytest.mark.parametrize("value", [None, 5, "", "x" * 301, "a\nb", "a\x00b", "é", ["a"], False])
def test_what_is_no_id_is_refused(value):
    with pytest.raises(WebhookRefused):
        webhooks.request_id(value)
