"""What staff change through the interface, in the same list as what they change in the admin.

The engine's own events say what became of a run. This says who asked for it, also where no run is concerned.
"""

import logging
from collections.abc import Callable

from django.apps import apps
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponseBase

logger = logging.getLogger(__name__)

_CHANGE = 2  # django.contrib.admin.models.CHANGE, which cannot be imported before the tables are known
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_LOOKS = ("/plan", "/validate", "/test")  # asked by POST, and nothing is changed


def staff_changes(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Notes each call of the interface by staff that succeeded and may have changed something.

    Its path and status are kept, and the key's prefix; no query, which may hold a read token, and no body.
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method not in _SAFE and request.path.startswith("/api/") and response.status_code < 400:
            _note(request, response.status_code)
        return response

    return respond


def _note(request: HttpRequest, status: int) -> None:
    user = getattr(request, "user", None)
    if user is None or not user.is_staff or request.path.endswith(_LOOKS):
        return
    prefix = getattr(getattr(request, "auth", None), "prefix", "")
    told = f"{request.method} {request.path}: {status}" + (f", with key {prefix}" if prefix else "")
    entries = apps.get_model("admin", "LogEntry")._default_manager
    try:
        entries.create(user_id=user.pk, object_repr=request.path[:200], action_flag=_CHANGE, change_message=told)
    except DatabaseError as exc:
        logger.error("audit user=%s method=%s error=%s", user.pk, request.method, type(exc).__name__)
