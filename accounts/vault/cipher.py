"""From a secret to what the database holds, and back.

Fernet has no associated data, so the text that is encrypted also says whose it is and what for: a row whose ciphertext
was swapped with another's cannot be read.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings

from core.errors import ZapsError


class VaultClosed(ZapsError):
    """There is no key to encrypt with."""

    code = "VAULT_CLOSED"
    title = "This server cannot keep keys."
    status = 503
    remediation = "The operator sets ZAP_SECRET_KEYS; `manage.py rotate_secrets --new-key` prints one."


class SecretUnreadable(ZapsError):
    """A stored secret was encrypted with a key that is gone, or is not the one that belongs there."""

    code = "SECRET_UNREADABLE"
    title = "A stored key cannot be read."
    status = 503
    remediation = "Set it again, or put the key that encrypted it back into ZAP_SECRET_KEYS."


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a secret belongs. `owner_id` None is the operator, `request_ref` "" is kept for all requests."""

    owner_id: int | None
    provider: str
    name: str
    request_ref: str = ""

    def words(self) -> list[Any]:
        """As it is written beside the secret."""
        return [self.owner_id, self.provider, self.name, self.request_ref]


def new_key() -> str:
    """A key for ZAP_SECRET_KEYS."""
    return Fernet.generate_key().decode()


def seal(value: str, place: Place) -> str:
    """The ciphertext. Raises VaultClosed."""
    return _fernet().encrypt(json.dumps({"at": place.words(), "v": value}).encode()).decode()


def unseal(ciphertext: str, place: Place) -> str:
    """The secret. Raises SecretUnreadable, also where it belongs elsewhere, and VaultClosed."""
    try:
        content = json.loads(_fernet().decrypt(ciphertext))
    except InvalidToken:
        raise SecretUnreadable(f"The stored key for {place.provider} cannot be read.") from None
    if content["at"] != place.words():
        raise SecretUnreadable(f"The stored key for {place.provider} belongs elsewhere.")
    value: str = content["v"]
    return value


def fingerprint(value: str) -> str:
    """32 characters that are the same for equal values, and cannot be tried out without the vault's key."""
    return _fingerprint(value, _keys()[0])


def fingerprints(value: str) -> list[str]:
    """What it is, or was, under each key that there is."""
    return [_fingerprint(value, key) for key in _keys()]


def _fingerprint(value: str, key: str) -> str:
    own = hmac.digest(base64.urlsafe_b64decode(key), b"zaps: fingerprints of secrets", hashlib.sha256)
    return hmac.new(own, value.encode(), hashlib.sha256).hexdigest()[:32]


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in _keys()])


def _keys() -> list[str]:
    keys: list[str] = settings.ZAP_SECRET_KEYS
    if not keys:
        raise VaultClosed
    return keys
