"""How often the interface may be called: by an account with all its keys together, or from one address."""

from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from accounts import rates
from accounts.api.auth import caller_of

if TYPE_CHECKING:
    from rest_framework.views import APIView  # which reads the setting that names this module


#: in a request's META, where no header can put it: a further question for a page whose first was counted
PART_OF_A_PAGE = "zaps.part_of_a_page"


class CallerRate(BaseThrottle):
    """Counts one call; a page counts as one, whatever it asks. Staff are not counted."""

    _wait_s = 0

    def allow_request(self, request: Request, view: "APIView") -> bool:
        """Whether it is answered."""
        caller = caller_of(request)
        if caller.is_staff or PART_OF_A_PAGE in request.META:
            return True
        if caller.user is not None:
            key, per_minute = f"calls:user:{caller.user.pk}", settings.ZAP_CALLS_PER_MINUTE
        else:
            key, per_minute = f"calls:from:{rates.place(caller.address)}", settings.ZAP_OPEN_CALLS_PER_MINUTE
        self._wait_s = rates.wait_s(key, per_minute=per_minute)
        return self._wait_s == 0

    def wait(self) -> float:
        """For how many seconds to wait."""
        return float(self._wait_s)
