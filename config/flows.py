"""Who may use flows here: an API key of the staff with the scope `flows`, or for senders a signed body."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from rest_framework.request import Request

from accounts.api.auth import AUTHENTICATORS, BearerToken, caller_of
from accounts.api.places import take_place
from accounts.api.standing import anew
from accounts.caller import Caller, Scope
from accounts.models import ApiToken
from flows.api import policy
from flows.api.signatures import is_signed


class Policy(policy.Policy):
    """Flows belong to nobody in particular, so only staff see them. A key may also stand in `x-api-key`."""

    def may_read(self, request: HttpRequest) -> None:
        """Raises CallerUnknown, CallerRefused."""
        caller = _caller(request)
        caller.require_staff()
        caller.require(Scope.FLOWS)

    def may_send(self, request: HttpRequest) -> None:
        """The same, where the body is not signed with ZAP_FLOWS_SECRET."""
        if not is_signed(request, settings.ZAP_FLOWS_SECRET):
            self.may_read(request)

    def may_work(self, request: HttpRequest) -> None:
        """Raises CallerUnknown, CallerRefused."""
        self.may_read(request)

    def watching(self, request: HttpRequest) -> AbstractContextManager[object]:
        """One of the streams that the caller may have open."""
        return _place(_caller(request))

    def who(self, request: HttpRequest) -> str:
        """`token:<prefix>`, or `signature`."""
        return "signature" if is_signed(request, settings.ZAP_FLOWS_SECRET) else _caller(request).principal_id


class KeyHeader(BearerToken):
    """`x-api-key: zap_…`."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        """The key's owner and the key; None without the header. Raises AuthenticationFailed."""
        key = request.headers.get("x-api-key")
        return self.holder_of(key) if key else None


@contextmanager
def _place(caller: Caller) -> Iterator[None]:
    place = take_place(caller)
    try:
        yield
    finally:
        place.leave()


def _caller(request: HttpRequest) -> Caller:
    # A stream is asked for anew, and a session may have ended since.
    now = anew(request) if hasattr(request, "session") else request
    return caller_of(Request(now, authenticators=[KeyHeader(), *(kind() for kind in AUTHENTICATORS)]))
