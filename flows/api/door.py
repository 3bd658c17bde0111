"""What every address of flows has in common: it asks the project's policy, reads JSON, and answers problems."""

from collections.abc import Callable
from typing import Any, ClassVar

from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from core.api import problems
from core.api.parsers import JsonObjectParser
from flows.api.policy import policy


class Door(APIView):
    """`right` names the method of the policy that lets a caller in, by HTTP method; GET is `may_read`."""

    authentication_classes = ()
    permission_classes = ()
    throttle_classes = ()
    parser_classes = (JsonObjectParser,)
    renderer_classes = (JSONRenderer,)
    rights: ClassVar[dict[str, str]] = {}

    def perform_authentication(self, request: Request) -> None:
        """Who calls is the policy's affair."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Before anything is parsed, so that a signature is checked against the bytes that came."""
        super().initial(request, *args, **kwargs)
        right = self.rights.get(request.method or "", "may_read")
        asked = request._request
        getattr(policy(), right)(asked)
        if "Transfer-Encoding" in asked.headers:  # without a length, DRF takes a body for none
            asked.META["CONTENT_LENGTH"] = str(len(asked.body))

    def get_authenticate_header(self, request: Request) -> str:
        """So that credentials that are not good are a 401, as none are."""
        return "Bearer"

    def get_exception_handler(self) -> Callable[..., Any]:
        """Ours, whatever the project's other addresses answer."""
        return problems.handler


def who(request: Request) -> str:
    """What the policy calls the caller."""
    return policy().who(request._request)
