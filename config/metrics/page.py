"""The address, and who may read it: whoever shows ZAP_METRICS_TOKEN."""

import logging
from itertools import chain

import redis
from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from psycopg.errors import QueryCanceled

from config.metrics import gauges
from config.metrics.exposition import CONTENT_TYPE, Gauge, gauge_by, write
from core.api.bearer import shows
from core.api.problems import allow, answers_problems
from core.errors import Refused
from runs.figures import within_a_second

logger = logging.getLogger(__name__)


class MetricsTokenRefused(Refused):
    """The monitor's token is missing or wrong."""

    code = "METRICS_TOKEN_REFUSED"
    title = "The token for the metrics is missing or wrong."
    status = 401
    remediation = "Send ZAP_METRICS_TOKEN as `Authorization: Bearer`."


@answers_problems
def metrics(request: HttpRequest) -> HttpResponse:
    """Everything that could be read. 503 without the database; without the broker its part is missing."""
    allow(request, "GET", "HEAD")
    _check_token(request)
    parts = {name: _of_database(name) for name in gauges.OF_DATABASE}
    parts["queues"] = _of_queues()
    read = {name: float(found is not None) for name, found in parts.items()}
    health = gauge_by("zaps_metrics_read", "Whether this part of the page could be read.", "part", read)
    told = chain([health], gauges.of_streams(), *(found for found in parts.values() if found is not None))
    return HttpResponse(write(told), content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def _check_token(request: HttpRequest) -> None:
    """Raises MetricsTokenRefused. Without a token the door is open in DEBUG only."""
    token = str(settings.ZAP_METRICS_TOKEN or "")
    if not token:
        if not settings.DEBUG:
            raise MetricsTokenRefused("The metrics are closed: ZAP_METRICS_TOKEN is not set.")
        return
    if not shows(request.headers.get("Authorization", ""), token):
        raise MetricsTokenRefused


def _of_database(name: str) -> list[Gauge] | None:
    """None where it took too long. Raises OperationalError without the database."""
    try:
        with within_a_second():
            return gauges.OF_DATABASE[name]()
    except OperationalError as exc:
        if not isinstance(exc.__cause__, QueryCanceled):
            raise
        logger.warning("metrics part=%s error=QueryCanceled", name)
        return None


def _of_queues() -> list[Gauge] | None:
    """None where Redis does not answer."""
    try:
        return gauges.of_queues()
    except redis.RedisError as exc:
        logger.warning("metrics part=queues error=%s", type(exc).__name__)
        return None
