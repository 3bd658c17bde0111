"""Signed bodies: HMAC-SHA256 of exactly the bytes that were sent."""

import hashlib
import hmac

from django.http import HttpRequest

HEADERS = ("x-flow-signature-256", "x-patch-flow-signature-256", "x-patchbay-flow-signature-256")


def is_signed(request: HttpRequest, secret: str) -> bool:
    """Whether the first signature that the request shows, `sha256=<hex>`, is the secret's of its body."""
    shown = next((request.headers[name] for name in HEADERS if name in request.headers), "")
    return bool(secret) and hmac.compare_digest(shown.encode(), sign(request.body, secret).encode())


def sign(body: bytes, secret: str) -> str:
    """The header's value for a body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
