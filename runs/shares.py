"""Showing a run to somebody who has no account: a token that opens this run, its assets, its log and its stream.

It opens nothing else and moves nothing. Its owner and staff make, list and revoke it; it always ends.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from accounts.caller import Caller, Scope
from accounts.tokens import digest_of, new_secret
from core.errors import NotFound, Refused
from core.ids import new_id
from runs import queries
from runs.models import Run, RunShare

_TOUCH = timedelta(minutes=1)


class ShareRefused(Refused):
    """The read token is unknown, expired or revoked."""

    code = "SHARE_REFUSED"
    title = "This read token is unknown, expired or revoked."
    status = 401
    remediation = "Ask whoever shared the run for a new address."


def own_run(run_id: str, caller: Caller) -> Run:
    """A run that the caller may show. Raises CallerUnknown, CallerRefused, and NotFound for all but owner and staff."""
    run = queries.get_run(run_id, caller)
    caller.require(Scope.RUN)
    if not queries.sees_secrets(run, caller):
        raise NotFound(f"There is no run {run_id!r}.")
    return run


def make_share(run: Run, caller: Caller, *, lasts: timedelta, at: datetime) -> tuple[RunShare, str]:
    """A read token of a run that the caller was given by `own_run`, and its plain text, which is not shown again."""
    share_id = new_id("share")
    plain = f"{share_id}_{new_secret()}"
    share = RunShare.objects.create(
        share_id=share_id, run=run, digest=digest_of(plain), shared_by=caller.principal_id, expires_at=at + lasts
    )
    return share, plain


def shares_of(run_id: str, caller: Caller) -> QuerySet[RunShare]:
    """The run's read tokens. Raises as `own_run`."""
    return RunShare.objects.filter(run=own_run(run_id, caller))


def revoke_share(run_id: str, share_id: str, caller: Caller) -> None:
    """It opens nothing any more. Revoking twice is the same as once. Raises as `own_run`."""
    shares = shares_of(run_id, caller).filter(share_id=share_id)
    if not shares.filter(revoked_at=None).update(revoked_at=timezone.now()) and not shares.exists():
        raise NotFound(f"There is no share {share_id!r}.")


def as_guest(caller: Caller, shown: str, *, at: datetime) -> Caller:
    """`caller`, who may also look at the run that the read token `shown` opens.

    Raises ShareRefused for one that opens nothing; whoever we know is let on without it.
    """
    share = (
        RunShare.objects.select_related("run").only("run__run_id", *_COLUMNS).filter(digest=digest_of(shown)).first()
    )
    if share is not None and share.is_live(at=at):
        _touch(share, at=at)
        who = caller.principal_id if caller.is_known else f"share:{share.share_id}"
        return replace(caller, shared_run=share.run.run_id, principal_id=who)
    if caller.is_known:
        return caller
    raise ShareRefused


_COLUMNS = ("share_id", "expires_at", "revoked_at", "last_used_at")


def _touch(share: RunShare, *, at: datetime) -> None:
    before = at - _TOUCH
    if share.last_used_at is None or share.last_used_at < before:
        unseen = RunShare.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=before), pk=share.pk)
        unseen.update(last_used_at=at)
