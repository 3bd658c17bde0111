"""What runs tell us, and what the drain asks of us."""

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from django.db import connection

from accounts.caller import Caller
from notifications import bells, deliver, endpoints, outbox
from runs.heralds import Callback, Herald, Told
from runs.models import Run

logger = logging.getLogger(__name__)

_HANDS = ThreadPoolExecutor(max_workers=4, thread_name_prefix="zaps-outbox")


class Outbox(Herald):
    """Puts down whom a move is to be told to, and rings for what is due."""

    def moved(self, run: Run, told: Sequence[Told]) -> None:
        """A run without an owner is nobody's to be told of."""
        if run.owner_id is not None:
            outbox.write(run.pk, run.owner_id, told)

    def check(self, callback: Callback, caller: Caller) -> None:
        """See Herald."""
        endpoints.check_callback(callback, caller)

    def follow(self, run: Run, callback: Callback, caller: Caller) -> None:
        """See Herald."""
        endpoints.follow(run, callback, caller.known_user)

    def forget(self, run: Run) -> None:
        """See Herald."""
        outbox.forget(run)

    def ring_due(self, limit: int) -> list[str]:
        """See Herald. Without a broker, a few are made here at a time."""
        due, is_heard = outbox.claim_due(limit), True
        for pk in due:
            is_heard = is_heard and bells.ring(pk)
            if not is_heard:
                _HANDS.submit(_make, pk)
        return [f"delivery {pk}" for pk in due]


def _make(pk: int) -> None:
    try:
        deliver.deliver(pk)
    except Exception:
        logger.exception("delivery=%s broken", pk)
    finally:
        connection.close()
