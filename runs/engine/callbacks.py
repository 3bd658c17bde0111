"""The addresses at which providers call us when a job has ended: one an attempt, which nobody else can guess."""

import hashlib
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings

from providers.contract import Provider

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """An address, and the digest by which we know its token again. The token itself is kept nowhere."""

    url: str = field(repr=False)
    digest: str


def are_on() -> bool:
    """Can providers reach us, and may they? Over https; or, against an emulator, on this machine."""
    parts = urlsplit(settings.ZAP_PUBLIC_URL)
    on_loopback = parts.hostname in _LOOPBACK and settings.ZAP_ALLOW_LOOPBACK
    return bool(settings.ZAP_WEBHOOKS) and (parts.scheme == "https" or on_loopback)


def new_callback(provider: Provider) -> Callback | None:
    """A fresh address; None where the provider does not call, or cannot."""
    if provider.webhooks == "none" or not are_on():
        return None
    token = secrets.token_hex(16)
    url = f"{settings.ZAP_PUBLIC_URL}/api/providers/{provider.name}/webhook/{token}"
    return Callback(url=url, digest=digest_of(token))


def digest_of(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()
