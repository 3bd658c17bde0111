"""The Celery door. Beat sends one message every few seconds; what is due stands in the database."""

from typing import Any

from celery import shared_task

from automations import dispatch
from automations.look import look


@shared_task(name=dispatch.LOOK, acks_late=False, ignore_result=True)
def look_for_due(**_newer: Any) -> None:
    """Begin what is due. A message that is lost, late or doubled changes nothing: the next one finds the same rows."""
    look()
