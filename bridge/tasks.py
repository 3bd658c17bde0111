"""The Celery door. A message is a hint: the rows say whether anything is to be done."""

from typing import Any

from celery import shared_task

from bridge import bells, outbox


@shared_task(name=bells.HAND_OVER, acks_late=True, ignore_result=True)
def hand_over(**_newer: Any) -> None:
    """Give flows what is due. `_newer` lets an old worker accept a newer message."""
    outbox.hand_over()
