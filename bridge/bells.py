"""The doorbell: a message that there is something to hand over. A lost one costs seconds: the drain rings again."""

import logging

from celery import current_app
from celery.canvas import Signature
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

HAND_OVER = "bridge.hand_over"


def ring() -> bool:
    """Ask a worker to do it. False, and a line in the log, when the broker cannot be reached."""
    try:
        Signature(HAND_OVER, immutable=True, app=current_app).apply_async(retry=False)
    except (OperationalError, OSError) as exc:
        logger.warning("bell=lost error=%s", type(exc).__name__)
        return False
    return True
