"""What tests of the bridge share."""

from datetime import timedelta

from django.db.models import F

from bridge.models import PendingEvent
from flows.models import FlowEvent
from tests.factories import make_run, planned


def finish(bells, owner=None, *steps, **fields):
    """A run of the mock that went to its end, whatever that is."""
    run = make_run(*(steps or (planned("door"),)), owner=owner, **fields)
    bells.answer_all()
    run.refresh_from_db()
    return run


def let_pass(seconds):
    """That much time goes by for whatever waits."""
    span = timedelta(seconds=seconds)
    PendingEvent.objects.update(due_at=F("due_at") - span, rung_at=F("rung_at") - span)


def events():
    """What flows know, oldest first: (type, id)."""
    return list(FlowEvent.objects.order_by("pk").values_list("type", "event_id"))


def types():
    return [type for type, _ in events()]
