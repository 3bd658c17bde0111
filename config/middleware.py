"""Middleware of our own."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase


def no_referrer(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Lets no page tell another site, or a proxy's log, the `?token=` that opened it."""

    def respond(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if "token" in request.GET:
            response.headers["Referrer-Policy"] = "no-referrer"
        return response

    return respond


def in_one_thread(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Keeps everything outside of it synchronous, so it has to stand last.

    Under ASGI, Django's own middlewares would otherwise each hop to a thread and back, twice a request.
    """

    def respond(request: HttpRequest) -> HttpResponseBase:
        return get_response(request)

    return respond
