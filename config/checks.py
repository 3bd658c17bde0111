"""System checks: what is legal, but will not work. Each says what to do."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

LONGEST_COUNTDOWN_S = 5
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def check_visibility(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """A broker that gives a message up too early has tasks run twice, at the same time."""
    visible_s = settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
    needed_s = 2 * (settings.CELERY_TASK_TIME_LIMIT + LONGEST_COUNTDOWN_S)
    if visible_s > needed_s:
        return []
    return [
        Error(
            f"The broker redelivers a message after {visible_s} s, while a task may work for {needed_s // 2} s.",
            hint=f"Set visibility_timeout to more than {needed_s}, or lower CELERY_TASK_TIME_LIMIT.",
            id="config.E001",
        )
    ]


def check_leases(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """A lease that ends while its owner still talks lets a second one in."""
    if settings.ZAP_POLL_LEASE_S > 10:
        return []
    return [
        Warning(
            f"A poll may take 10 s, but its lease ends after {settings.ZAP_POLL_LEASE_S} s.",
            hint="Set ZAP_POLL_LEASE_S to 20 or more; 30 is the default.",
            id="config.W001",
        )
    ]


def check_drain_secret(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """An address to POST to needs the secret that opens it."""
    if not settings.ZAP_POLL_DRAIN_URL or settings.ZAP_POLL_DRAIN_SECRET:
        return []
    return [
        Error(
            "ZAP_POLL_DRAIN_URL is set, but ZAP_POLL_DRAIN_SECRET is not: that address will refuse every drain.",
            hint="Set ZAP_POLL_DRAIN_SECRET to the same value here and there.",
            id="config.E002",
        )
    ]


def check_public_url(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Passwords and tokens must not travel in the clear."""
    parts = urlsplit(settings.ZAP_PUBLIC_URL)
    if settings.DEBUG or parts.scheme != "http" or parts.hostname in _LOOPBACK:
        return []
    return [
        Warning(
            "ZAP_PUBLIC_URL is http: logins and tokens travel unprotected.",
            hint="Serve https, in front of or by a proxy, and set ZAP_PUBLIC_URL to that address.",
            id="config.W002",
        )
    ]


ALL = (check_visibility, check_leases, check_drain_secret, check_public_url)
