"""How often the interface may be called: by an account with all its keys together, or from one address."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import rates
from accounts.api.auth import caller_of
from accounts.caller import Caller

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which reads the setting that names this module


#: in a request's META, where no header can put it: a further question for a page whose first was counted
PART_OF_A_PAGE = "zaps.part_of_a_page"


class CallerRate(BaseThrottle):
    """Counts one call; a page counts as one, whatever it asks. Staff are not counted."""

    _wait_s = 0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Whether it is answered."""
        self._wait_s = 0 if PART_OF_A_PAGE in request.META else _wait_s(caller_of(request))
        return self._wait_s == 0

    def wait(self) -> float:
        """For how many seconds to wait."""
        return float(self._wait_s)


def count_call(caller: Caller) -> None:
    """The same for a view that DRF does not serve. Raises Throttled."""
    if wait_s := _wait_s(caller):
        raise Throttled(wait=wait_s)


def _wait_s(caller: Caller) -> int:
    if caller.is_staff:
        return 0
    if caller.user is not None:
        return rates.wait_s(f"calls:user:{caller.user.pk}", per_minute=settings.ZAP_CALLS_PER_MINUTE)
    key = f"calls:from:{rates.place(caller.address)}"
    return rates.wait_s(key, per_minute=settings.ZAP_OPEN_CALLS_PER_MINUTE)
