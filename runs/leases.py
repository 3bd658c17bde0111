"""Who is at work on an attempt, for work that may take longer than one call: downloads, renders, winding down."""

import time
from datetime import timedelta
from uuid import UUID, uuid4

from django.db.models import F, Q
from django.db.models.functions import Now

from core.errors import StaleState
from runs import policy
from runs.models import Attempt


def claim(attempt: Attempt, *, seconds: int, tries: int = 1) -> UUID | None:
    """A fresh token for an attempt in the state that we read, if nobody holds it; None when somebody does.

    `tries` is how many this counts for.
    """
    token = uuid4()
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    until = Now() + timedelta(seconds=seconds)
    mine = Attempt.objects.filter(free, pk=attempt.pk, status=attempt.status)
    if mine.update(lease_token=token, lease_until=until, due_at=until, tries=F("tries") + tries) != 1:
        return None
    attempt.tries += tries
    return token


def release(attempt: Attempt, token: UUID, *, again_in_s: float, error: str) -> None:
    """Give it back, to be taken up again later."""
    due_at = Now() + timedelta(seconds=again_in_s)
    held = Attempt.objects.filter(pk=attempt.pk, lease_token=token)
    held.update(lease_token=None, lease_until=None, due_at=due_at, rung_at=None, error=error)


def is_held(attempt: Attempt, token: UUID) -> bool:
    """Is the lease still ours? For inside a transaction that has locked the run."""
    return Attempt.objects.filter(pk=attempt.pk, lease_token=token, status=attempt.status).exists()


def is_overdue(attempt: Attempt) -> bool:
    """Is it past its deadline, or, where it never got one, as old as a deadline would allow?"""
    oldest = Now() - timedelta(seconds=policy.DEADLINE_S)
    late = Q(deadline_at__lt=Now()) | Q(deadline_at=None, submitted_at__lt=oldest)
    return Attempt.objects.filter(late, pk=attempt.pk).exists()


class Heartbeat:
    """Renews a lease while its owner works; call it as often as you like.

    Raises StaleState when the lease is lost: somebody canceled the step, or took it for dead.
    """

    def __init__(self, attempt: Attempt, token: UUID, *, seconds: int) -> None:
        self._held = Attempt.objects.filter(pk=attempt.pk, lease_token=token, status=attempt.status)
        self._seconds = seconds
        self._renewed = time.monotonic()
        self._name = str(attempt)

    def __call__(self) -> None:
        if time.monotonic() - self._renewed < self._seconds / 10:
            return
        until = Now() + timedelta(seconds=self._seconds)
        if self._held.update(lease_until=until, due_at=until) != 1:
            raise StaleState(f"{self._name} was taken away.")
        self._renewed = time.monotonic()
