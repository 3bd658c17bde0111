"""Middleware of our own."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase


def in_one_thread(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Keeps everything outside of it synchronous, so it has to stand last.

    Under ASGI, Django's own middlewares would otherwise each hop to a thread and back, twice a request.
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    return respond
