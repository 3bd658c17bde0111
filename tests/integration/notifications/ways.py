"""What tests of the outbox share."""

from datetime import timedelta

from django.db.models import F

from accounts.caller import Caller, Scope
from notifications.models import Delivery, Endpoint
from tests.factories import make_run, planned


def caller(user, *scopes):
    """Whoever that is, with those scopes, or all."""
    return Caller(user=user, principal_id=f"user:{user.pk}", scopes=frozenset(scopes or Scope), is_staff=user.is_staff)


def finish(bells, owner, *steps, **fields):
    """A run of the mock that went to its end, whatever that is."""
    run = make_run(*(steps or (planned("door"),)), owner=owner, **fields)
    bells.answer_all()
    run.refresh_from_db()
    return run


def only(endpoint, *events):
    """That receiver is told of these events alone."""
    Endpoint.objects.filter(pk=endpoint.pk).update(events=list(events))


def let_pass(seconds):
    """That much time goes by for everything in the outbox."""
    span = timedelta(seconds=seconds)
    times = {name: F(name) - span for name in ("due_at", "rung_at", "lease_until", "happened_at")}
    Delivery.objects.filter(status="waiting").update(**times)
    Delivery.objects.exclude(status="waiting").update(ended_at=F("ended_at") - span)
    rest = {name: F(name) - span for name in ("rest_until", "failing_since", "old_until")}
    Endpoint.objects.update(**rest)
