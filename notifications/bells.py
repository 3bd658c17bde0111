"""The doorbell of a delivery. A lost one costs seconds: the drain rings again."""

import logging

from celery import current_app
from celery.canvas import Signature
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

DELIVER = "notifications.deliver"
PRUNE = "notifications.prune"


def ring(pk: int) -> bool:
    """Ask a worker to make it. False, and a line in the log, when the broker cannot be reached."""
    try:
        Signature(DELIVER, kwargs={"delivery_id": pk}, immutable=True, app=current_app).apply_async(retry=False)
    except (OperationalError, OSError) as exc:
        logger.warning("bell=lost error=%s", type(exc).__name__)
        return False
    return True
