"""Addresses that we hand out."""

from django.conf import settings


def public_url(path: str) -> str:
    """`path` under the address that callers know us by; the bare path when ZAP_PUBLIC_URL is not set."""
    base = str(getattr(settings, "ZAP_PUBLIC_URL", "") or "")
    return f"{base.rstrip('/')}{path}" if path.startswith("/") else path
