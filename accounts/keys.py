"""What a caller may do with API keys. The one rule: no key ever gives more than the one that made or rotated it.

Nobody can have a key of somebody else's account: staff see and revoke everybody's, and make and rotate their own.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts import tokens
from accounts.caller import Caller, CallerRefused, Scope
from accounts.models import ApiToken
from core.errors import Conflict, NotFound


class KeyEnded(Conflict):
    """A key that was revoked, or has expired, stays so."""

    code = "KEY_ENDED"
    title = "This key was revoked, or has expired."
    remediation = "Make a new one."


def keys_of(caller: Caller) -> QuerySet[ApiToken]:
    """The caller's keys; of staff everybody's. Raises CallerUnknown, CallerRefused."""
    caller.require(Scope.KEYS)
    return _seen_by(caller)


def get_key(prefix: str, caller: Caller) -> ApiToken:
    """The key; the one that is shown needs no scope. Raises CallerUnknown, CallerRefused, NotFound."""
    if not _is_own(prefix, caller):
        caller.require(Scope.KEYS)
    key = _seen_by(caller).filter(prefix=prefix).first()
    if key is None:
        raise NotFound(f"There is no key {prefix!r}.")
    return key


def make_key(
    caller: Caller, name: str, scopes: Iterable[str] | None, *, lasts: timedelta | None, at: datetime
) -> tuple[ApiToken, str]:
    """A key of the caller's, and its plain text. None: all that the caller may; for as long as the caller's key lasts.

    Raises CallerUnknown, CallerRefused and BadInput.
    """
    caller.require(Scope.KEYS)
    wanted = frozenset(caller.scopes if scopes is None else scopes)
    _refuse_more(caller, wanted & set(Scope))
    ends_at = caller.ends_at if lasts is None else at + lasts
    if caller.ends_at is not None and (ends_at is None or ends_at > caller.ends_at):
        raise CallerRefused("This key ends before the one that it would make.")
    return tokens.create_token(caller.known_user, name, wanted, expires_at=ends_at)


def rotate_key(key: ApiToken, caller: Caller, *, overlap: timedelta, at: datetime) -> tuple[ApiToken, str]:
    """A key that the caller was given by `get_key`, as it is now, and its new plain text.

    Raises CallerUnknown, CallerRefused, KeyEnded, and StaleState when somebody else was first.
    """
    if key.owner_id != caller.known_user.pk:
        raise CallerRefused("Nobody but its owner may have a key; revoke it instead.")
    _refuse_more(caller, frozenset(key.scopes))
    if caller.ends_at is not None and (key.expires_at is None or key.expires_at > caller.ends_at):
        raise CallerRefused("This key ends before the one that it would rotate.")
    if not key.is_live(at=at):
        raise KeyEnded
    plain = tokens.rotate(key, at=at, overlap=overlap)
    key.refresh_from_db()
    return key, plain


def revoke_key(prefix: str, caller: Caller) -> None:
    """It opens nothing any more. Revoking twice is the same as once. Raises CallerUnknown, CallerRefused, NotFound."""
    tokens.revoke(get_key(prefix, caller))


def _seen_by(caller: Caller) -> QuerySet[ApiToken]:
    keys = ApiToken.objects.all()
    return keys if caller.is_staff else keys.filter(owner=caller.known_user)


def _is_own(prefix: str, caller: Caller) -> bool:
    return caller.principal_id == f"token:{prefix}"


def _refuse_more(caller: Caller, scopes: frozenset[str]) -> None:
    if more := sorted(scopes - caller.scopes):
        raise CallerRefused(f"This key does not have the scope {', '.join(more)}, so it cannot give it.")
