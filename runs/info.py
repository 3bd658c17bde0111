"""What this server is made of, for `zap info` and GET /api/info. No secret, no address with a password in it."""

import platform
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from django.conf import settings
from django.core.files.storage import storages
from django.db import DatabaseError, connection
from kombu import Connection
from kombu.exceptions import KombuError

from accounts.vault.credentials import source_for
from providers.contract import Provider
from providers.registry import PROVIDERS
from runs.models import CronLog
from zaps.kind import KINDS

_PACKAGES = ("django", "djangorestframework", "celery", "psycopg", "redis", "aiohttp", "av")
_BROKER_TIMEOUT_S = 1


def gather(*, owner_id: int) -> dict[str, Any]:
    """Versions, whether each neighbour answers, and which providers somebody's live runs would have a key for.

    Raises nothing: what does not answer says so.
    """
    return {
        "versions": {
            "zaps": settings.SPECTACULAR_SETTINGS["VERSION"],
            "python": platform.python_version(),
            **{name: version(name) for name in _PACKAGES},
        },
        "database": _database(),
        "broker": _broker(),
        "storage": {"backend": _name_of(type(storages["default"]))},
        "providers": [_provider(provider, owner_id) for provider in sorted(PROVIDERS, key=lambda one: one.name)],
        "leftOut": [asdict(one) for one in (*PROVIDERS.left_out, *KINDS.left_out)],
        "beat": _beat(),
        "debug": bool(settings.DEBUG),
    }


def _database() -> dict[str, Any]:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            return {"ok": True, "engine": "postgresql", "version": cursor.fetchone()[0]}
    except DatabaseError as exc:
        return {"ok": False, "engine": "postgresql", "error": type(exc).__name__}


def _broker() -> dict[str, Any]:
    url = str(settings.CELERY_BROKER_URL)
    options = getattr(settings, "CELERY_BROKER_TRANSPORT_OPTIONS", {})
    try:
        with Connection(url, connect_timeout=_BROKER_TIMEOUT_S, transport_options=options) as broker:
            broker.ensure_connection(max_retries=1, timeout=_BROKER_TIMEOUT_S)
    except (KombuError, OSError) as exc:
        return {"ok": False, "transport": url.partition(":")[0], "error": type(exc).__name__}
    return {"ok": True, "transport": url.partition(":")[0]}


def _provider(provider: Provider, owner_id: int) -> dict[str, Any]:
    try:
        has_key = source_for(provider.name, owner_id=owner_id) is not None
    except DatabaseError:
        has_key = None
    return {"name": provider.name, "keyVariable": provider.key_variable, "hasKey": has_key}


def _beat() -> dict[str, Any]:
    """The newest closed cycle of the drain: a beat that works leaves one every few seconds."""
    try:
        row = CronLog.objects.exclude(status=None).order_by("-start_time").first()
    except DatabaseError:
        row = None
    if row is None:
        return {"lastCycleAt": None, "lastStatus": None, "job": None}
    return {"lastCycleAt": round(row.start_time.timestamp() * 1000), "lastStatus": row.status, "job": row.job_name}


def _name_of(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"
