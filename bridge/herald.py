"""What runs tell us, and what the drain asks of us."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from django.conf import settings
from django.db import connection

from bridge import bells, outbox
from runs.heralds import Herald, Told
from runs.models import Run

logger = logging.getLogger(__name__)

_HANDS = ThreadPoolExecutor(max_workers=1, thread_name_prefix="zaps-bridge")


class Bridge(Herald):
    """Tells flows of the runs that have ended."""

    def moved(self, run: Run, told: Sequence[Told]) -> None:
        """Where a run made several moves at once, only the last is what became of it."""
        if settings.ZAP_FLOW_EVENTS != "none":
            outbox.write(run.pk, told[-1])

    def forget(self, run: Run) -> None:
        """See Herald."""
        outbox.forget(run)

    def ring_due(self, limit: int) -> list[str]:
        """See Herald. Without a broker it is done here."""
        many = outbox.claim_bells(limit)
        if not many:
            return []
        if not bells.ring():
            _HANDS.submit(_hand_over)
        return [f"flow events {many}"]


def _hand_over() -> None:
    try:
        outbox.hand_over()
    except Exception:
        logger.exception("flow events=broken")
    finally:
        connection.close()
