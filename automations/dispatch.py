"""The doorbell of automations: a message that something may be due. Beat rings it every few seconds anyway."""

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

LOOK = "automations.look"


def look_soon() -> None:
    """Ask a worker to look, once the current transaction has committed."""
    transaction.on_commit(ring)


def ring() -> None:
    """Ring now. A lost bell costs seconds."""
    try:
        current_app.send_task(LOOK, retry=False)
    except (OperationalError, OSError) as exc:
        logger.warning("bell=lost error=%s", type(exc).__name__)
