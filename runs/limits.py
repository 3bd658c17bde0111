"""How much an account at a provider is used: so many requests a second, so many jobs at once, so much a day.

Pacing lives in Redis (`runs.pace`). Jobs and money are counted in PostgreSQL, where a submission is admitted
(`runs.transitions.admission`). What a provider asks for by a 429 holds for everything that uses its account.
"""

import logging
import time
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from threading import Lock

from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from providers.registry import PROVIDERS
from runs import pace
from runs.models import ProviderAccount

logger = logging.getLogger(__name__)

NO_ACCOUNT = {"", "none"}
_KNOWN_FOR_S = 1.0
_LEAST_PAUSE_S, _LONGEST_PAUSE_S = 2.0, 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one account may. None: no limit. `resumes_at` is on this process's monotonic clock."""

    requests_per_s: float | None = None
    jobs_in_flight: int | None = None
    day_cap_usd: Decimal | None = None
    resumes_at: float = 0.0

    @property
    def count_jobs(self) -> bool:
        """Has a submission to be counted before it is admitted?"""
        return self.jobs_in_flight is not None or self.day_cap_usd is not None


NO_LIMITS = Limits()


class _Accounts:
    """What this process knows of the accounts: a second old at most."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._stale_at = 0.0
        self._known: dict[str, Limits] = {}

    def get(self, account: str, provider: str) -> Limits:
        with self._lock:
            if time.monotonic() >= self._stale_at:
                self._read()
            if account not in self._known:
                ProviderAccount.objects.get_or_create(key=account, defaults={"provider": provider})
                self._read()
            return self._known.get(account, NO_LIMITS)

    def forget(self) -> None:
        with self._lock:
            self._stale_at = 0.0

    def _read(self) -> None:
        left = ExpressionWrapper(F("paused_until") - Now(), output_field=DurationField())
        rows = ProviderAccount.objects.values_list(
            "key", "provider", "requests_per_s", "jobs_in_flight", "day_cap_usd", left
        )
        try:
            self._known = {key: _limits(provider, *columns) for key, provider, *columns in rows}
        finally:
            self._stale_at = time.monotonic() + _KNOWN_FOR_S


_ACCOUNTS = _Accounts()


def limits_of(account: str, provider: str) -> Limits:
    """What that account may. A new one is noted, so that an operator can limit it."""
    return NO_LIMITS if account in NO_ACCOUNT else _ACCOUNTS.get(account, provider)


def wait_s(account: str, provider: str) -> float:
    """How long until one more request may be sent; 0: now, and it has been counted."""
    return take(account, provider, 1)[1]


def take(account: str, provider: str, wanted: int) -> tuple[int, float]:
    """How many of `wanted` requests may be sent now, and how long the others have to wait."""
    limits = limits_of(account, provider)
    left = limits.resumes_at - time.monotonic()
    if left > 0:
        return 0, left
    if limits.requests_per_s is None:
        return wanted, 0.0
    granted, wait = pace.take(account, per_second=limits.requests_per_s, wanted=wanted)
    return granted, 0.0 if granted == wanted else max(wait, 0.05)


def note_slowdown(account: str, provider: str, retry_after_s: float | None) -> None:
    """The provider answered that this is too much: nothing of the account is sent until it said, or for a while.

    Without a Retry-After the pause is 2 s, twice as long each time in a row.
    """
    if account in NO_ACCOUNT:
        return
    row, _ = ProviderAccount.objects.get_or_create(key=account, defaults={"provider": provider})
    pause_s = retry_after_s if retry_after_s else _LEAST_PAUSE_S * 2.0 ** min(row.slowdowns, 8)
    until = Now() + timedelta(seconds=min(pause_s, _LONGEST_PAUSE_S))
    ProviderAccount.objects.filter(pk=row.pk).update(paused_until=until, slowdowns=F("slowdowns") + 1)
    _ACCOUNTS.forget()
    logger.info("account=%s provider=%s slowdown_s=%.1f", account[:24], provider, pause_s)


def note_answer(account: str, provider: str) -> None:
    """The provider took a submission: it is content. Costs no query unless it was not."""
    if account not in NO_ACCOUNT and limits_of(account, provider).resumes_at:
        ProviderAccount.objects.filter(key=account, paused_until__lt=Now()).update(paused_until=None, slowdowns=0)
        _ACCOUNTS.forget()


def forget() -> None:
    """Read the accounts anew when next asked: what this process knows may be a second old."""
    _ACCOUNTS.forget()


def _limits(
    provider: str, rate: Decimal | None, jobs: int | None, day_cap_usd: Decimal | None, paused: timedelta | None
) -> Limits:
    published = PROVIDERS.get(provider).requests_per_s if provider in PROVIDERS else None
    return Limits(
        requests_per_s=float(rate) if rate is not None else published,
        jobs_in_flight=jobs,
        day_cap_usd=day_cap_usd,
        resumes_at=time.monotonic() + paused.total_seconds() if paused is not None else 0.0,
    )
