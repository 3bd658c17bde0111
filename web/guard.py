"""What every page has in common: what the browser may load for it, and what becomes of a refusal."""

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render

from web.ask import Answer

# Media may come from a bucket, at an address that the asset's own redirects to.
_POLICY = "; ".join([
    "default-src 'none'", "script-src 'self'", "style-src 'self'", "connect-src 'self'", "font-src 'self'",
    "img-src 'self' blob: https:", "media-src 'self' blob: https:", "form-action 'self'", "base-uri 'none'",
    "frame-ancestors 'none'",
])  # fmt: skip

View = Callable[..., HttpResponseBase]


def fenced(view: View) -> View:
    """`view`, whose pages run no script and style but ours, stand in no frame, and tell no other site of themselves."""

    @wraps(view)
    def respond(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = view(request, *args, **kwargs)
        answer.headers["Content-Security-Policy"] = _POLICY
        answer.headers["Referrer-Policy"] = "same-origin"
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    return respond


def show(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page. `key` is for a form: sent twice, it is carried out once."""
    return render(request, template, {"key": str(uuid.uuid4()), **context}, status=status)


def refuse(request: HttpRequest, answer: Answer) -> HttpResponseBase:
    """What the interface refused, as a page of its own; whoever is not known is asked to sign in."""
    if answer.body["code"] == "NOT_AUTHENTICATED" and not request.user.is_authenticated:
        return HttpResponseRedirect(sign_in_address(request))
    return show(request, "web/refused.html", {"problem": answer.body}, status=answer.status)


def sign_in_address(request: HttpRequest) -> str:
    """Where to sign in, and to come back from."""
    here = request.get_full_path() if request.method == "GET" else request.path.rsplit("/", 1)[0]
    return f"{settings.LOGIN_URL}?{urlencode({'next': here})}"
