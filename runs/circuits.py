"""The circuit breakers: a provider's model whose failures pile up is left alone for a while.

closed      everything goes through; failures in a row are counted
open        nothing is submitted until the pause is over
half_open   one submission is out to see; its failure opens the circuit again, for twice as long

Almost always nothing is wrong, so that a healthy model costs no query: each process keeps the troubled circuits in
mind, for a second. Being that late costs a second of further submissions, never a wrong state.
"""

import logging
import time
from datetime import timedelta
from threading import Lock

from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from runs.models import Circuit
from zaps.planned import LOCAL

logger = logging.getLogger(__name__)

# What speaks about the provider; everything else is about the request, its media, our pace or our own machine.
COUNTED = frozenset(
    {
        "INSUFFICIENT_CREDITS",
        "JOB_LOST",
        "KEY_INVALID",
        "OUTPUT_MISSING",
        "POLL_DEADLINE_EXCEEDED",
        "POLL_UNAVAILABLE",
        "PROVIDER_AUTH_FAILED",
        "PROVIDER_ERROR",
        "PROVIDER_FAILED",
        "PROVIDER_UNAVAILABLE",
        "SUBMISSION_UNAVAILABLE",
        "SUBMISSION_UNKNOWN",
    }
)
LONGEST_PAUSE_S = 3600
PROBE_S = 120  # a submission let through that has not reported by then is given up, and another let through
LOOK_AGAIN_S = 60  # a pause may end early: somebody resets it, or a job from before succeeds
_KNOWN_FOR_S = 1.0


class _Troubled:
    """The circuits that are not plainly closed, as this process last saw them: when the pause of each is over."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stale_at = 0.0
        self._ends: dict[tuple[str, str], float | None] = {}

    def has(self, provider: str, model: str) -> bool:
        """Has it failed lately, paused or not?"""
        with self._lock:
            self._refresh()
            return (provider, model) in self._ends

    def wait_s(self, provider: str, model: str) -> float | None:
        """None: not paused. 0 or less: the pause is over."""
        with self._lock:
            self._refresh()
            ends = self._ends.get((provider, model))
        return None if ends is None else ends - time.monotonic()

    def forget(self) -> None:
        """Read them anew when next asked."""
        with self._lock:
            self._stale_at = 0.0

    def _refresh(self) -> None:
        if time.monotonic() < self._stale_at:
            return
        left = ExpressionWrapper(F("retry_at") - Now(), output_field=DurationField())
        rows = Circuit.objects.exclude(status="closed", failures=0).values_list("provider", "model", "status", left)
        try:
            self._ends = {
                (provider, model): None if status == "closed" else time.monotonic() + pause.total_seconds()
                for provider, model, status, pause in rows
            }
        finally:
            # Where the database does not answer, one thread finds out, not each in turn.
            self._stale_at = time.monotonic() + _KNOWN_FOR_S


_TROUBLED = _Troubled()


def admit(provider: str, model: str) -> float | None:
    """May something be submitted? None: go ahead; else ask again in so many seconds (1 to 60).

    When a pause is over, one caller of all processes gets None and the others wait for what becomes of it. Whoever
    gets None submits, and reports by `note_success` or `note_failure`.
    """
    if provider == LOCAL:
        return None
    wait_s = _TROUBLED.wait_s(provider, model)
    if wait_s is not None and wait_s <= 0:
        if _let_one_through(provider, model):
            return None
        wait_s = _TROUBLED.wait_s(provider, model)
    return None if wait_s is None else min(max(wait_s, 1.0), LOOK_AGAIN_S)


def note_failure(provider: str, model: str, code: str) -> None:
    """An attempt failed with `code`. Does nothing where that says nothing about the provider."""
    if provider == LOCAL or code not in COUNTED:
        return
    with transaction.atomic():
        circuit, _ = Circuit.objects.select_for_update().get_or_create(provider=provider, model=model)
        circuit.failures += 1
        circuit.error = code
        circuit.updated_at = Now()
        # Jobs sent before it opened may still fail; they make no pause longer.
        if circuit.status == "half_open" or (
            circuit.status == "closed" and circuit.failures >= settings.ZAP_BREAKER_FAILURES
        ):
            _open(circuit)
        circuit.save()
    _TROUBLED.forget()


def note_success(provider: str, model: str) -> None:
    """An attempt delivered its result. Costs no query where nothing had failed."""
    if provider != LOCAL and _TROUBLED.has(provider, model):
        _close(Q(provider=provider, model=model))


def reset(circuit: Circuit, *, actor: str) -> None:
    """Close it by hand: whatever was wrong has been mended."""
    _close(Q(pk=circuit.pk))
    logger.info("circuit=%r reset actor=%s", str(circuit), actor)


def forget() -> None:
    """Read the circuits anew when next asked: what this process knows may be a second old."""
    _TROUBLED.forget()


def _let_one_through(provider: str, model: str) -> bool:
    over = Circuit.objects.filter(provider=provider, model=model, status__in=["open", "half_open"], retry_at__lte=Now())
    mine = over.update(status="half_open", retry_at=Now() + timedelta(seconds=PROBE_S), updated_at=Now()) == 1
    _TROUBLED.forget()
    return mine


def _open(circuit: Circuit) -> None:
    pause_s = min(settings.ZAP_BREAKER_PAUSE_S * 2 ** min(circuit.pauses, 20), LONGEST_PAUSE_S)
    circuit.status = "open"
    circuit.pauses += 1
    circuit.opened_at = Now()
    circuit.retry_at = Now() + timedelta(seconds=pause_s)
    logger.warning("circuit=%r open pause_s=%s error=%s", str(circuit), pause_s, circuit.error)


def _close(which: Q) -> None:
    Circuit.objects.filter(which).update(
        status="closed", failures=0, pauses=0, opened_at=None, retry_at=None, updated_at=Now()
    )
    _TROUBLED.forget()
