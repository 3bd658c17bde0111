"""Is this process up, and can it work?"""

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

_TIMEOUT_S = 1


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """200 for as long as the process answers at all."""
    return JsonResponse({"status": "ok"})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """503 without the database. Without the broker we still work, only slower: 200, and `broker` says so."""
    database, broker = _database_answers(), _broker_answers()
    words = {True: "ok", False: "down"}
    return JsonResponse(
        {"status": words[database], "database": words[database], "broker": words[broker]},
        status=200 if database else 503,
    )


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker_answers() -> bool:
    client = redis.from_url(settings.REDIS_URL, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
