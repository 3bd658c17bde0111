"""Who reads: a caller that we know, nobody, or a guest who was given a read token, `?token=`."""

from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from accounts.api.auth import caller_of, caller_of_plain
from accounts.caller import Caller, Scope
from runs.shares import as_guest

PARAMETER = "token"


def reader_of(request: Request) -> Caller:
    """Whoever may read runs. Raises CallerRefused for a key without the scope."""
    return _reading(caller_of(request))


def guest_of(request: Request) -> Caller:
    """The same, at an address that a read token opens too. Raises ShareRefused."""
    return _shown(reader_of(request), request.query_params.get(PARAMETER))


def reader_of_plain(request: HttpRequest) -> Caller:
    """`reader_of` for a view that DRF does not serve."""
    return _reading(caller_of_plain(request))


def guest_of_plain(request: HttpRequest) -> Caller:
    """`guest_of` for a view that DRF does not serve."""
    return _shown(reader_of_plain(request), request.GET.get(PARAMETER))


def _reading(caller: Caller) -> Caller:
    if caller.is_known:
        caller.require(Scope.READ)
    return caller


def _shown(caller: Caller, token: str | None) -> Caller:
    return as_guest(caller, token, at=timezone.now()) if token else caller
