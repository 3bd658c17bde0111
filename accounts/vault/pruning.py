"""What the vault forgets by itself."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta

from django.db.models.functions import Now

from accounts.models import Secret
from accounts.vault import access
from accounts.vault.keeping import forget_requests, requests_with_keys

LONGEST_REQUEST = timedelta(days=30)


def prune(over: Callable[[Sequence[str]], Iterable[str]]) -> None:
    """Forget old accesses, and the keys of requests that `over` picks, or that are older than LONGEST_REQUEST.

    `over` is given the runs that have keys of their own, and returns those that have ended long enough ago.
    """
    access.purge()
    forget_requests(over(requests_with_keys()))
    Secret.objects.exclude(request_ref="").filter(updated_at__lt=Now() - LONGEST_REQUEST).delete()
