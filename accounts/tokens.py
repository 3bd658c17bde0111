"""API tokens: made once, shown once, kept as a digest."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from accounts.caller import Scope
from accounts.models import ApiToken
from core.errors import BadInput, Problem, StaleState
from core.ids import ALPHABET

WORD = "zap_"
_PREFIX_LENGTH, _SECRET_LENGTH = 8, 40  # 200 random bits behind the prefix: a plain digest needs no salt
_TOUCH = timedelta(minutes=1)


def create_token(
    user: User, name: str, scopes: Iterable[str] = tuple(Scope), *, expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """A new token of `user`, and its plain text, which nobody can read again. Raises BadInput."""
    wanted = sorted({str(scope) for scope in scopes})
    problems = [
        Problem(
            code="SCOPE_UNKNOWN", message=f"There is no scope {scope!r}; there are {', '.join(Scope)}.", path="scopes"
        )
        for scope in wanted
        if scope not in set(Scope)
    ]
    if not wanted:
        problems.append(Problem(code="SCOPE_MISSING", message="A token needs at least one scope.", path="scopes"))
    if not 1 <= len(name.strip()) <= 80:
        problems.append(Problem(code="NAME_INVALID", message="A token's name has 1 to 80 characters.", path="name"))
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    prefix = WORD + _random(_PREFIX_LENGTH)
    plain = _plain(prefix)
    token = ApiToken.objects.create(
        owner_id=user.pk,
        name=name.strip(),
        prefix=prefix,
        digest=digest_of(plain),
        scopes=wanted,
        expires_at=expires_at,
    )
    return token, plain


def find_token(plain: str, *, at: datetime) -> ApiToken | None:
    """The live token of an active owner that `plain` is, with its owner; None when it opens nothing."""
    digest = digest_of(plain)
    shown = Q(digest=digest) | Q(old_digest=digest, old_until__gt=at)
    token = ApiToken.objects.select_related("owner").filter(shown).first()
    if token is None or not token.is_live(at=at) or not token.owner.is_active:
        return None
    return token


def touch(token: ApiToken, *, at: datetime) -> None:
    """Note that it was used; at most one write a minute, whoever else tries."""
    before = at - _TOUCH
    if token.last_used_at is None or token.last_used_at < before:
        unseen = ApiToken.objects.filter(Q(last_used_at=None) | Q(last_used_at__lt=before), pk=token.pk)
        unseen.update(last_used_at=at)


def rotate(token: ApiToken, *, at: datetime, overlap: timedelta) -> str:
    """A new plain text for the same token; the old one opens doors for `overlap` more. Nobody can read it again.

    Its prefix stays, and with it who it is in every record. Raises StaleState when it was rotated or revoked meanwhile.
    """
    plain = _plain(token.prefix)
    same = ApiToken.objects.filter(pk=token.pk, digest=token.digest, revoked_at=None)
    changed = same.update(digest=digest_of(plain), old_digest=token.digest, old_until=at + overlap, rotated_at=at)
    if changed != 1:
        raise StaleState("The key was rotated or revoked meanwhile.")
    return plain


def revoke(token: ApiToken) -> None:
    """It opens nothing any more. Revoking twice keeps the first moment."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def digest_of(plain: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(plain.encode(errors="replace")).hexdigest()


def new_secret() -> str:
    """Forty characters that nobody can guess."""
    return _random(_SECRET_LENGTH)


def _plain(prefix: str) -> str:
    return f"{prefix}_{new_secret()}"


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))
