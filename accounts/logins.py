"""Passwords: tried so often a minute at all doors together, the interface's, the pages' and the admin's."""

import hashlib
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate, login
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import rates
from core.errors import Refused

_NAMES_SHARE = 5  # from everywhere: more than from one address, so that a stranger does not lock somebody out


class LoginRefused(Refused):
    """The name or the password is wrong; which one is not said."""

    code = "LOGIN_REFUSED"
    title = "The name or the password is wrong."
    status = 401
    remediation = "Check both; capitals count."


class TooManyLogins(Refused):
    """This address, or somebody with this name, tried too often."""

    code = "TOO_MANY_LOGINS"
    title = "Too many tries to log in."
    status = 429
    retryable = True
    remediation = "Wait as long as Retry-After says."


class PacedBackend(ModelBackend):
    """Django's own, which takes as long for a name that there is not, and only so many tries a minute."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The user, or None. One try too many raises PermissionDenied, which Django's forms take for None."""
        wait_s = _wait_s(request, username or "")
        if wait_s:
            if request is not None:
                request.META[_WAIT] = wait_s
            raise PermissionDenied
        return super().authenticate(request, username=username, password=password, **kwargs)


_WAIT = "zaps.login_wait_s"


def log_in(request: HttpRequest, *, username: str, password: str) -> User:
    """Begin a session of that user, under a new key. Raises LoginRefused and TooManyLogins."""
    user = authenticate(request, username=username, password=password)
    if user is None:
        if wait_s := request.META.get(_WAIT):
            raise TooManyLogins(retryAfterS=wait_s)
        raise LoginRefused
    login(request, user)
    request.session.cycle_key()  # Django keeps that of a session which was this user's already
    return user


def _wait_s(request: HttpRequest | None, username: str) -> int:
    per_minute = settings.ZAP_LOGINS_PER_MINUTE
    address = rates.place(request.META.get("REMOTE_ADDR", "") if request is not None else "")
    name = hashlib.sha256(username.casefold().encode()).hexdigest()[:32]
    return rates.wait_s(f"login:from:{address}", per_minute=per_minute) or rates.wait_s(
        f"login:as:{name}", per_minute=per_minute * _NAMES_SHARE
    )
