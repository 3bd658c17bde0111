"""The ends of runs on their way to flows: written with the move, handed over in one transaction, and then gone."""

import logging
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from bridge import bells
from bridge.models import PendingEvent
from bridge.telling import TYPES, event_of
from core.again import again
from flows import events
from flows.refusals import EventChanged
from runs.heralds import Told
from runs.models import Asset, Run

logger = logging.getLogger(__name__)

AT_ONCE = 200
BELL_AGAIN_S = 5
LATER = timedelta(seconds=30)  # after flows could not take it

_CLAIM = """
    WITH due AS (
        SELECT id FROM pending_flow_events
        WHERE due_at <= now() AND rung_at < now() - %(again)s * interval '1 second'
        ORDER BY due_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
    )
    UPDATE pending_flow_events AS p SET rung_at = now() FROM due WHERE p.id = due.id
    RETURNING p.id"""


def write(run_pk: int, told: Told) -> None:
    """Put down that the run has ended, where the operator lets flows know of it. For the move's own transaction."""
    type = TYPES.get(told.event)
    if type is None:
        return
    run = Run.objects.select_related("owner").get(pk=run_pk)
    if not _is_told_of(run):
        return
    film = next((one for one in Asset.objects.filter(run=run).only("asset_id") if one.url == run.zap_url), None)
    PendingEvent.objects.create(run=run, seq=told.seq, event=event_of(run, film, type=type, seq=told.seq))
    transaction.on_commit(bells.ring)


def forget(run: Run) -> None:
    """What flows do not have yet they are not told any more."""
    PendingEvent.objects.filter(run=run).delete()


def claim_bells(limit: int) -> int:
    """How many are due and were not taken up after the last bell; whoever asks rings for them."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, {"again": BELL_AGAIN_S, "limit": limit})
        return len(cursor.fetchall())


def hand_over() -> int:
    """Give flows whatever is due. Returns how many events they were given here; any number may do it at once."""
    due = PendingEvent.objects.filter(due_at__lte=Now()).order_by("due_at", "pk")
    return sum(_try(pk) for pk in list(due.values_list("pk", flat=True)[:AT_ONCE]))


def _try(pk: int) -> bool:
    try:
        return _give(pk)
    except Exception:  # one that flows cannot take must not keep the others from them
        logger.exception("pending flow event=%s given=later", pk)
        PendingEvent.objects.filter(pk=pk).update(due_at=Now() + LATER)
        return False


@again
@transaction.atomic
def _give(pk: int) -> bool:
    pending = PendingEvent.objects.select_for_update(skip_locked=True).filter(pk=pk).first()
    if pending is None:
        return False
    try:
        given = events.dispatch(pending.event)
    except EventChanged:
        # Somebody sent another event under our id; that one stays, and repeating ours would change nothing.
        logger.error("flow event=%s refused=EVENT_ID_REUSED", pending.event["id"])
    else:
        logger.info("flow event=%s status=%s runs=%s", given.event_id, given.status, given.matched)
    pending.delete()
    return True


def _is_told_of(run: Run) -> bool:
    if settings.ZAP_FLOW_EVENTS == "staff":
        return run.owner is not None and run.owner.is_staff
    return bool(settings.ZAP_FLOW_EVENTS == "everyone")
