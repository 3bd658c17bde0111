"""Signature checks that adapters share. Each compares in constant time and raises WebhookRefused."""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from providers.contract import Call, Hook, Talk
from providers.errors import WebhookRefused
from providers.verdict import ask

WINDOW_S = 300  # how far a signed moment may lie from ours, either way
KEYS_KEPT_S = 86_400.0  # how long a vendor's keys are good
KEYS_ASKED_AGAIN_S = 60.0  # and how often a bad signature makes us ask for new ones
ASK_TIMEOUT_S = 4.0  # while a vendor waits for our answer
_MOST_KEYS = 16


def require_fresh(hook: Hook, seconds: str) -> None:
    """Raises WebhookRefused unless the moment that was signed, in seconds since 1970, is about now."""
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= 12):
        raise malformed()
    if abs(hook.received_at - int(seconds)) > WINDOW_S:
        raise WebhookRefused("The webhook was signed too long ago, or in the future.", reason="WEBHOOK_STALE")


def header(hook: Hook, name: str) -> str:
    """Raises WebhookRefused where it is missing."""
    value = hook.headers.get(name, "")
    if not value:
        raise malformed()
    return value


def document(hook: Hook) -> Mapping[str, Any]:
    """The body's JSON object."""
    try:
        found = json.loads(hook.body)
    except (ValueError, RecursionError):
        raise malformed() from None
    if not isinstance(found, dict):
        raise malformed()
    return found


def request_id(value: object) -> str:
    """An id as a vendor makes them."""
    if not isinstance(value, str) or not 0 < len(value) <= 300 or not value.isascii() or not value.isprintable():
        raise malformed()
    return value


def signs(secret: bytes, message: bytes, signatures: list[bytes]) -> bool:
    """Is one of these the message's HMAC-SHA256? Never with an empty secret, which anybody has."""
    if not secret:
        return False
    right = hmac.new(secret, message, hashlib.sha256).digest()
    return any([hmac.compare_digest(right, one) for one in signatures])  # all, always: in constant time


def unhex(text: str) -> bytes:
    """The bytes; none where it is no hexadecimal number."""
    try:
        return binascii.unhexlify(text)
    except ValueError:
        return b""


def unbase64(text: str) -> bytes:
    """The bytes, of either alphabet, with or without padding; none where it is no such text."""
    bare = text.rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return b""


def malformed() -> WebhookRefused:
    """It is not what this provider sends."""
    return WebhookRefused("The webhook makes no sense.", reason="WEBHOOK_MALFORMED")


def forged() -> WebhookRefused:
    """Its signature is not the provider's."""
    return WebhookRefused("The webhook's signature is not the provider's.", reason="WEBHOOK_FORGED")


def standard_event(hook: Hook, *, secret: str, otherwise: Call) -> Talk[str]:
    """The event's id of a webhook after the Standard Webhooks specification.

    Where no `secret` is set by hand, `otherwise` asks the provider for it. Raises WebhookRefused.
    """
    event_id, seconds = header(hook, "webhook-id"), header(hook, "webhook-timestamp")
    require_fresh(hook, seconds)
    message = f"{event_id}.{seconds}.".encode() + hook.body
    versioned = [one.partition(",") for one in header(hook, "webhook-signature").split(" ")[:_MOST_KEYS]]
    signatures = [unbase64(text) for version, _, text in versioned if version == "v1"]
    for age_s in (KEYS_KEPT_S, KEYS_ASKED_AGAIN_S):
        found = secret or str((yield from ask(replace(otherwise, cache_s=age_s, timeout_s=ASK_TIMEOUT_S))).get("key"))
        if signs(unbase64(found.removeprefix("whsec_")), message, signatures):
            return event_id
    raise forged()


def require_stamped_signature(hook: Hook, name: str, secret: str) -> None:
    """For a header `t=…,v1=…`: the moment, and the HMAC of it, a comma and the body, in hexadecimal."""
    pairs = [part.strip().partition("=") for part in header(hook, name).split(",")[:_MOST_KEYS]]
    seconds = next((value for word, _, value in pairs if word == "t"), "")
    require_fresh(hook, seconds)
    signatures = [unhex(value) for word, _, value in pairs if word == "v1"]
    if not signs(secret.encode(), f"{seconds},".encode() + hook.body, signatures):
        raise forged()


def require_key_signature(jwks_url: str, message: bytes, signature: bytes) -> Talk[None]:
    """Raises WebhookRefused unless one of the Ed25519 keys at that address signed the message.

    The keys are asked for again where none did, for they may have been changed, but not more than once a minute.
    """
    for age_s in (KEYS_KEPT_S, KEYS_ASKED_AGAIN_S):
        jwks = yield from ask(Call(method="GET", url=jwks_url, cache_s=age_s, timeout_s=ASK_TIMEOUT_S))
        if any([_is_signed(key, message, signature) for key in _keys(jwks)]):
            return
    raise forged()


def _keys(jwks: Mapping[str, Any]) -> list[bytes]:
    listed = jwks.get("keys")
    found = [one.get("x") for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    return [unbase64(one) for one in found[:_MOST_KEYS] if isinstance(one, str)]


def _is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (ValueError, InvalidSignature):  # no such key, or not signed with it
        return False
    return True
