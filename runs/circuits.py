"""The circuit breakers: a provider's model whose failures pile up is left alone for a while.

So is an account whose key or credit is refused there: that is nobody's trouble but its own.

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
from typing import TypeAlias

from django.conf import settings
from django.db import transaction
from django.db.models import DurationField, ExpressionWrapper, F, Q
from django.db.models.functions import Now

from core.again import again
from runs.limits import NO_ACCOUNT
from runs.models import Circuit
from zaps.planned import LOCAL

logger = logging.getLogger(__name__)

# What speaks about the provider; everything else is about the request, its media, our pace or our own machine.
COUNTED = frozenset(
    {
        "JOB_LOST",
        "OUTPUT_MISSING",
        "POLL_DEADLINE_EXCEEDED",
        "POLL_UNAVAILABLE",
        "PROVIDER_ERROR",
        "PROVIDER_FAILED",
        "PROVIDER_UNAVAILABLE",
        "SUBMISSION_UNAVAILABLE",
        "SUBMISSION_UNKNOWN",
    }
)
COUNTED_OF_ACCOUNTS = frozenset({"INSUFFICIENT_CREDITS", "KEY_INVALID", "PROVIDER_AUTH_FAILED"})
PAUSED_BY_HAND = "PAUSED_BY_OPERATOR"
LONGEST_PAUSE_S = 3600
PROBE_S = 120  # a submission let through that has not reported by then is given up, and another let through
LOOK_AGAIN_S = 60  # a pause may end early: somebody resets it, or a job from before succeeds
_KNOWN_FOR_S = 1.0

Key: TypeAlias = tuple[str, str, str]  # provider, model, account: of the last two one is ""


class _Troubled:
    """The circuits that are not plainly closed, as this process last saw them: when the pause of each is over."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stale_at = 0.0
        self._ends: dict[Key, float | None] = {}

    def has(self, key: Key) -> bool:
        """Has it failed lately, paused or not?"""
        with self._lock:
            self._refresh()
            return key in self._ends

    def wait_s(self, key: Key) -> float | None:
        """None: not paused. 0 or less: the pause is over."""
        with self._lock:
            self._refresh()
            ends = self._ends.get(key)
        return None if ends is None else ends - time.monotonic()

    def forget(self) -> None:
        """Read them anew when next asked."""
        with self._lock:
            self._stale_at = 0.0

    def _refresh(self) -> None:
        if time.monotonic() < self._stale_at:
            return
        left = ExpressionWrapper(F("retry_at") - Now(), output_field=DurationField())
        troubled = Circuit.objects.exclude(status="closed", failures=0)
        rows = troubled.values_list("provider", "model", "account", "status", left)
        try:
            self._ends = {
                (provider, model, account): None if status == "closed" else time.monotonic() + pause.total_seconds()
                for provider, model, account, status, pause in rows
            }
        finally:
            # Where the database does not answer, one thread finds out, not each in turn.
            self._stale_at = time.monotonic() + _KNOWN_FOR_S


_TROUBLED = _Troubled()


def admit(provider: str, model: str = "", *, account: str = "", attempt: int | None = None) -> float | None:
    """May something be submitted to the model, or by the account? None: go ahead; else ask again in 1 to 60 seconds.

    When a pause is over, one caller of all processes gets None and the others wait for what becomes of it. Whoever
    gets None submits, and reports by `note_success` or `note_failure`; or gives the look back by its `attempt`.
    """
    if provider == LOCAL:
        return None
    key = (provider, model, account)
    wait_s = _TROUBLED.wait_s(key)
    if wait_s is not None and wait_s <= 0:
        if _let_one_through(key, attempt):
            return None
        wait_s = _TROUBLED.wait_s(key)
    return None if wait_s is None else min(max(wait_s, 1.0), LOOK_AGAIN_S)


def note_failure(provider: str, model: str, code: str, *, account: str = "", attempt: int | None = None) -> None:
    """An attempt failed with `code`: of what that says nothing about, somebody else may look how it is."""
    if provider == LOCAL:
        return
    if code in COUNTED:
        _count((provider, model, ""), code)
    else:
        _give_back((provider, model, ""), attempt)
    if code in COUNTED_OF_ACCOUNTS and account not in NO_ACCOUNT:
        _count((provider, "", account), code)
    else:
        _give_back((provider, "", account), attempt)


def note_success(provider: str, model: str, *, account: str = "") -> None:
    """An attempt delivered its result. Costs no query where nothing had failed."""
    for key in ((provider, model, ""), (provider, "", account)):
        if provider != LOCAL and _TROUBLED.has(key):
            _close(_is(key) & ~Q(status="open", error=PAUSED_BY_HAND))


def give_back(provider: str, model: str, *, account: str = "", attempt: int) -> None:
    """The attempt was not sent after all: if it was let through to see, another one may be. Else does nothing."""
    for key in ((provider, model, ""), (provider, "", account)):
        _give_back(key, attempt)


def pause(provider: str, *, account: str, pause_s: int, actor: str) -> None:
    """Submit nothing with that account for so long: jobs that are at the provider already are polled and stored.

    Neither a success nor a failure of theirs ends it. When it is over, one submission is let through to see.
    """
    opened = {"status": "open", "error": PAUSED_BY_HAND, "opened_at": Now(), "probe": None, "updated_at": Now()}
    ends = Now() + timedelta(seconds=pause_s)
    Circuit.objects.update_or_create(
        provider=provider, model="", account=account, defaults={**opened, "retry_at": ends}
    )
    _TROUBLED.forget()
    logger.info("account=%s provider=%s pause_s=%s actor=%s", account[:24], provider, pause_s, actor)


def let_go(provider: str, *, account: str, actor: str) -> bool:
    """Submit with that account again, whatever it was paused for. Says whether it was."""
    circuit = Circuit.objects.filter(_is((provider, "", account))).exclude(status="closed").first()
    if circuit is not None:
        reset(circuit, actor=actor)
    return circuit is not None


def reset(circuit: Circuit, *, actor: str) -> None:
    """Close it by hand: whatever was wrong has been mended."""
    _close(Q(pk=circuit.pk))
    logger.info("circuit=%r reset actor=%s", str(circuit), actor)


def forget() -> None:
    """Read the circuits anew when next asked: what this process knows may be a second old."""
    _TROUBLED.forget()


def _give_back(key: Key, attempt: int | None) -> None:
    if attempt is None or not _TROUBLED.has(key):
        return
    out = Circuit.objects.filter(_is(key), status="half_open", probe=attempt)
    if out.update(status="open", retry_at=Now(), probe=None, updated_at=Now()):
        _TROUBLED.forget()


def _is(key: Key) -> Q:
    provider, model, account = key
    return Q(provider=provider, model=model, account=account)


@again
def _count(key: Key, code: str) -> None:
    provider, model, account = key
    with transaction.atomic():
        circuits = Circuit.objects.select_for_update()
        circuit, _ = circuits.get_or_create(provider=provider, model=model, account=account)
        if circuit.status == "open" and circuit.error == PAUSED_BY_HAND:
            return
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


def _let_one_through(key: Key, attempt: int | None) -> bool:
    over = Circuit.objects.filter(_is(key), status__in=["open", "half_open"], retry_at__lte=Now())
    ends = Now() + timedelta(seconds=PROBE_S)
    mine = over.update(status="half_open", retry_at=ends, probe=attempt, updated_at=Now()) == 1
    _TROUBLED.forget()
    return mine


def _open(circuit: Circuit) -> None:
    pause_s = min(settings.ZAP_BREAKER_PAUSE_S * 2 ** min(circuit.pauses, 20), LONGEST_PAUSE_S)
    circuit.status = "open"
    circuit.pauses += 1
    circuit.probe = None
    circuit.opened_at = Now()
    circuit.retry_at = Now() + timedelta(seconds=pause_s)
    logger.warning("circuit=%r open pause_s=%s error=%s", str(circuit), pause_s, circuit.error)


def _close(which: Q) -> None:
    Circuit.objects.filter(which).update(
        status="closed", failures=0, pauses=0, opened_at=None, retry_at=None, probe=None, updated_at=Now()
    )
    _TROUBLED.forget()
