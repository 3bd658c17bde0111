"""Streams outlast what a request was let in with: a session may end, a password change, an account be closed."""

from copy import copy

from django.contrib.auth import get_user
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject


def anew(request: HttpRequest) -> HttpRequest:
    """The same request, as if it came now: nothing is taken from what was found out about its session and user."""
    later = copy(request)
    later.session = type(request.session)(request.session.session_key)
    later.user = SimpleLazyObject(lambda: get_user(later))  # type: ignore[assignment]
    return later
