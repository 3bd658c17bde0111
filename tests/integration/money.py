"""Rows of money and trouble, as the engine leaves them behind."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from runs.models import Circuit, LedgerEntry, Run, Step
from tests.factories import make_run, planned

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
DAY = NOON.date()


def spend(usd, *, quote="0.5", day=DAY, owner=None, recipe="lighthouse", **fields):
    """An entry of the ledger: one attempt at a clip was paid for."""
    values = {"kind": "spent", "source": "reported", "provider": "fal", "model": "fal-ai/flux"}
    return LedgerEntry.objects.create(
        usd=Decimal(usd),
        quote_usd=Decimal(quote),
        day=day,
        run_id="run_1",
        step_id="clip",
        attempt=1,
        owner=owner,
        zap_slug=recipe,
        **(values | fields),
    )


def bury(*, owner=None, mode="mock", at=NOON, error="PROVIDER_UNAVAILABLE"):
    """A run that failed with its only step, the clip, which cost a quarter."""
    run = make_run(planned("clip", quote="0.5"), owner=owner, mode=mode)
    ended = {"status": "failed", "error": error, "finished_at": at, "wait_reason": None, "due_at": None}
    Step.objects.filter(run=run).update(**ended, reserved_usd=0, actual_usd=Decimal("0.25"))
    Run.objects.filter(pk=run.pk).update(**ended, stage="failed", reserved_usd=0)
    return run


def pause(provider="fal", model="fal-ai/flux", **fields):
    """A circuit that has just opened for a minute."""
    now = timezone.now()
    values = {"status": "open", "failures": 5, "pauses": 1, "error": "PROVIDER_UNAVAILABLE", "opened_at": now}
    return Circuit.objects.create(
        provider=provider, model=model, **(values | {"retry_at": now + timedelta(minutes=1)} | fields)
    )
