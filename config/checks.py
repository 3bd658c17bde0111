"""System checks: what is legal, but will not work. Each says what to do."""

import os
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning

from providers.registry import PROVIDERS, base_url_variable
from zaps.kind import KINDS

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


def check_provider(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """A provider that is forced on every step must exist."""
    if not settings.ZAP_PROVIDER or settings.ZAP_PROVIDER in PROVIDERS:
        return []
    return [
        Error(
            f"ZAP_PROVIDER is {settings.ZAP_PROVIDER!r}, which is no provider here.",
            hint=f"There are: {', '.join(sorted(PROVIDERS.entries))}.",
            id="config.E003",
        )
    ]


def check_plug_ins(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """What an operator installed and does not get."""
    return [
        Warning(
            f"The plug-in {one.name} of {one.package} is left out. {one.why}",
            hint=f"Mend or upgrade {one.package.partition(' ')[0]}, or uninstall it.",
            id="config.W004",
        )
        for one in (*PROVIDERS.left_out, *KINDS.left_out)
    ]


def check_judge(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """A key must not travel in the clear. Without a key, a model in the house may answer over http."""
    parts = urlsplit(settings.ZAP_JUDGE_URL)
    if not settings.ZAP_JUDGE_KEY or parts.scheme in ("", "https") or parts.hostname in _LOOPBACK:
        return []
    return [
        Error(
            "ZAP_JUDGE_URL is no address that a key may be sent to.",
            hint="Write it like https://api.example.com/v1, or unset ZAP_JUDGE_KEY; http is for 127.0.0.1 only.",
            id="config.E005",
        )
    ]


def check_storage(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Callers are led to a bucket by addresses that let whoever reads them in."""
    options = settings.STORAGES["default"].get("OPTIONS", {})
    parts = urlsplit(options.get("public_url") or options.get("endpoint_url") or "")
    if parts.scheme != "http" or parts.hostname in _LOOPBACK:
        return []
    return [
        Warning(
            "ZAP_STORAGE_URL leads callers to the bucket over http: media travel unprotected.",
            hint="Take tls=0 out, or name an https address in its option public.",
            id="config.W005",
        )
    ]


def check_provider_addresses(app_configs: Sequence[Any] | None, **_: Any) -> list[CheckMessage]:
    """Keys go to these addresses: https, or a loopback emulator that is allowed."""
    return [
        message
        for name, kind in sorted(PROVIDERS.entries.items())
        for message in (_judge_own if kind.self_hosted else _judge)(base_url_variable(name))
        if os.environ.get(base_url_variable(name))
    ]


def _judge_own(variable: str) -> list[CheckMessage]:
    """A machine of the operator's may be anywhere."""
    parts = urlsplit(os.environ.get(variable, ""))
    if parts.scheme in ("http", "https") and parts.hostname and not parts.username:
        return []
    hint = "Write it like http://gpu.internal:8188; a password goes into the key's variable."
    return [Error(f"{variable} is no address.", hint=hint, id="config.E004")]


def _judge(variable: str) -> list[CheckMessage]:
    parts = urlsplit(os.environ.get(variable, ""))
    is_here = parts.hostname in _LOOPBACK
    if parts.scheme not in ("http", "https") or not parts.hostname or (parts.scheme == "http" and not is_here):
        return [
            Error(
                f"{variable} is no address that a key may be sent to.",
                hint="Write it like https://queue.example.com; http is for 127.0.0.1 only.",
                id="config.E004",
            )
        ]
    if is_here and not settings.ZAP_ALLOW_LOOPBACK:
        return [
            Warning(
                f"{variable} is on this machine, but the download guard lets nothing from there through.",
                hint="Set ZAP_ALLOW_LOOPBACK=1 to work against an emulator.",
                id="config.W003",
            )
        ]
    return []


ALL = (
    check_visibility,
    check_leases,
    check_drain_secret,
    check_public_url,
    check_provider,
    check_plug_ins,
    check_judge,
    check_storage,
    check_provider_addresses,
)
