"""One address, in the words of each library that reads it."""

from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from django.core.exceptions import ImproperlyConfigured


def database(url: str) -> dict[str, Any]:
    """DATABASE_URL in Django's words. `?host=/folder` names a Unix socket; other queries go to libpq as they are.

    Raises ImproperlyConfigured, without repeating the address: it may hold a password.
    """
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    try:
        port = query.pop("port", "") or str(parts.port or "")
    except ValueError:
        raise ImproperlyConfigured("DATABASE_URL has a port that is no number.") from None
    name = unquote(parts.path.lstrip("/"))
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database: postgresql://user:password@host:5432/NAME.")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": query.pop("user", "") or unquote(parts.username or ""),
        "PASSWORD": query.pop("password", "") or unquote(parts.password or ""),
        "HOST": query.pop("host", "") or unquote(parts.hostname or ""),
        "PORT": port,
        "OPTIONS": query,
    }


def redis_for_celery(url: str) -> str:
    """REDIS_URL as Celery wants it."""
    parts = urlsplit(url)
    if parts.scheme not in ("unix", "redis+socket"):
        return url
    query = dict(parse_qsl(parts.query))
    database_number = query.pop("db", None) or query.pop("virtual_host", "0")
    return _socket_url("redis+socket", url, {"virtual_host": database_number, **query})


def redis_for_redis(url: str) -> str:
    """REDIS_URL as redis-py wants it."""
    parts = urlsplit(url)
    if parts.scheme not in ("unix", "redis+socket"):
        return url
    query = dict(parse_qsl(parts.query))
    database_number = query.pop("virtual_host", None) or query.pop("db", "0")
    return _socket_url("unix", url, {"db": database_number, **query})


def _socket_url(scheme: str, url: str, query: dict[str, str]) -> str:
    parts = urlsplit(url)
    return f"{scheme}://{quote(unquote(parts.path), safe='/')}?{urlencode(query)}"
