"""The pages are the first client of the HTTP interface: whatever they show or do, they ask of its own views.

So there is one way to start, approve or cancel, with one set of rights, limits and errors. Nothing goes over a socket,
and of a page's questions only the first counts towards how often its visitor may call.
"""

import json
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest
from django.http.response import HttpResponse
from django.urls import resolve

from accounts.api.throttle import PART_OF_A_PAGE


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the interface said. `body` is its JSON: a problem document where `ok` is False."""

    status: int
    body: Any

    @property
    def ok(self) -> bool:
        """Whether it did what was asked."""
        return self.status < 400


def read(request: HttpRequest, path: str, **query: str) -> Answer:
    """GET `path` as whoever sent `request`; empty parts of the query are left out."""
    return _ask(request, "GET", path, query=urlencode({name: value for name, value in query.items() if value}))


def send(request: HttpRequest, path: str, said: dict[str, Any], *, key: str = "") -> Answer:
    """POST `said` to `path` as whoever sent `request`, a form with a CSRF token; `key` makes it happen once."""
    return _ask(request, "POST", path, raw=json.dumps(said).encode(), key=key)


def change(request: HttpRequest, method: str, path: str, said: dict[str, Any] | None = None) -> Answer:
    """PUT or DELETE, as `send`."""
    return _ask(request, method, path, raw=json.dumps(said or {}).encode())


def weigh(request: HttpRequest, path: str, said: dict[str, Any]) -> Answer:
    """POST a question, whose answer writes nothing: so it may be asked for a page that was only opened."""
    return _ask(request, "POST", path, raw=json.dumps(said).encode(), is_question=True)


def _ask(
    request: HttpRequest,
    method: str,
    path: str,
    *,
    query: str = "",
    raw: bytes = b"",
    key: str = "",
    is_question: bool = False,
) -> Answer:
    meta = {name: value for name, value in request.META.items() if not name.startswith(("HTTP_IF_", "HTTP_RANGE"))}
    meta |= {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(raw)),
        "HTTP_ACCEPT": "application/json",
        "HTTP_X_CSRFTOKEN": request.POST.get("csrfmiddlewaretoken", ""),
        "wsgi.input": BytesIO(raw),
        "wsgi.url_scheme": request.scheme or "http",
    }
    if key:
        meta["HTTP_IDEMPOTENCY_KEY"] = key
    request.META[PART_OF_A_PAGE] = True
    inner = WSGIRequest(meta)
    inner.session, inner.user = request.session, request.user
    if is_question:
        inner._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
    found = resolve(path)
    answer: HttpResponse = found.func(inner, *found.args, **found.kwargs)
    if hasattr(answer, "render"):
        answer.render()
    return Answer(status=answer.status_code, body=json.loads(answer.content or b"null"))
