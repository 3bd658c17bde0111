import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from notifications.signing import is_secret, new_secret, sign


def signed(body, *secrets):
    """The headers of a message of this moment."""
    now_s = int(datetime.now(UTC).timestamp())
    signature = sign(body, message_id="evt_1", at_s=now_s, by=secrets)
    return {"webhook-id": "evt_1", "webhook-timestamp": str(now_s), "webhook-signature": signature}


@given(st.dictionaries(st.text(), st.integers() | st.text()), st.binary(min_size=24, max_size=64))
def test_the_official_library_believes_what_we_sign(document, key):
    body, secret = json.dumps(document).encode(), "whsec_" + base64.b64encode(key).decode()

    assert Webhook(secret).verify(body, signed(body, secret)) == document


def test_either_of_two_secrets_is_enough_while_one_is_changed():
    new, old = new_secret(), new_secret()

    headers = signed(b"{}", new, old)

    assert Webhook(new).verify("{}", headers) == {}
    assert Webhook(old).verify("{}", headers) == {}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify("{}", headers)


@given(st.text())
def test_whatever_is_no_secret_is_told_apart_without_breaking(text):
    assert not is_secret(text) or text.startswith("whsec_")


@pytest.mark.parametrize(
    "text", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_" + "A" * 200, "wsec_" + "A" * 44, "whsec_" + "ä" * 44, "A" * 44]
)
def test_secrets_of_another_shape_are_refused(text):
    assert not is_secret(text)


def test_ours_is_a_secret_and_never_the_same():
    assert is_secret(new_secret())
    assert new_secret() != new_secret()
