"""Signatures as Standard Webhooks has them: HMAC-SHA256 over id, time and body, by a secret like `whsec_…`."""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
_LEAST, _MOST, _OURS = 24, 64, 32  # bytes


def new_secret() -> str:
    """A fresh secret."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_OURS)).decode()


def is_secret(text: str) -> bool:
    """Whether it is one: `whsec_` and 24 to 64 bytes as base64."""
    try:
        return _LEAST <= len(_key(text)) <= _MOST
    except ValueError:
        return False


def sign(body: bytes, *, message_id: str, at_s: int, by: Iterable[str]) -> str:
    """The `webhook-signature` header: one signature by each secret. Raises ValueError for what is no secret."""
    signed = f"{message_id}.{at_s}.".encode() + body
    digests = (hmac.digest(_key(secret), signed, hashlib.sha256) for secret in by)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


def _key(secret: str) -> bytes:
    if not secret.startswith(PREFIX) or not secret.isascii():
        raise ValueError("This is no secret for webhooks.")
    try:
        return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("This is no secret for webhooks.") from None
