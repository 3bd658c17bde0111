"""The Celery door. A message is a hint: the row says whether anything is to be done."""

from typing import Any

from celery import shared_task

from notifications import bells, deliver, outbox


@shared_task(name=bells.DELIVER, acks_late=False, ignore_result=True)
def deliver_one(*, delivery_id: int, **_newer: Any) -> None:
    """Make one delivery. Acknowledged early: its lease, not the broker, brings it back if the worker dies."""
    deliver.deliver(delivery_id)


@shared_task(name=bells.PRUNE, acks_late=True, ignore_result=True)
def prune(**_newer: Any) -> None:
    """Forget what is older than its retention."""
    outbox.prune()
