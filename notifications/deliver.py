"""Make one delivery: take it, send it, write down what came of it."""

import logging

from notifications import mailing, outbox, posting
from notifications.models import Delivery

logger = logging.getLogger(__name__)


def deliver(pk: int) -> None:
    """Send it, if it is due and nobody else is at it. A worker that dies meanwhile costs a lease, and a repetition."""
    delivery = outbox.take(pk)
    if delivery is None:
        return
    outcome = _send(delivery)
    outbox.close(delivery, outcome)
    logger.info("delivery=%s to=%s code=%s ms=%s", delivery.event_id, _to(delivery), outcome.code, outcome.took_ms)


def _send(delivery: Delivery) -> outbox.Outcome:
    if delivery.endpoint is None:
        return mailing.send(delivery)
    if not delivery.endpoint.is_on:
        return outbox.Outcome(code="ENDPOINT_OFF", took_ms=0, is_final=True)
    return posting.post(delivery, delivery.endpoint)


def _to(delivery: Delivery) -> str:
    return delivery.endpoint.hook_id if delivery.endpoint is not None else "mail"
