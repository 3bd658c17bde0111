"""POST /api/providers/{provider}/webhook/{token}: a provider says that a job has ended. A wake-up, never a result.

A plain view: a signature is of the raw bytes, which a parser would have consumed. Whoever may not come in learns
nothing: a wrong provider, a wrong token and another job look alike.
"""

import time

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.csrf import csrf_exempt

from core.api.problems import allow, answers_problems
from core.errors import NotFound, Refused
from providers.contract import Hook
from providers.errors import WebhookRefused
from runs import refusals
from runs.engine.webhook import Heard, receive

MAX_BODY_BYTES = 1_000_000


class WebhookTooLarge(Refused):
    """More than any provider has to say."""

    code = "BODY_TOO_LARGE"
    title = "The request is too large."
    status = 413


class WebhookUnwanted(Refused):
    """It is not signed as it should be, or too old, or makes no sense: which of these is told to our log only."""

    code = "WEBHOOK_REFUSED"
    title = "The webhook was refused."
    status = 401


@csrf_exempt
@answers_problems
def provider_webhook(request: HttpRequest, provider: str, token: str) -> HttpResponseBase:
    """200: taken, or here before. 202: remembered, for a job whose submission has not been answered yet."""
    allow(request, "POST")
    body = _read(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        heard = receive(provider, token, Hook(headers=headers, body=body, received_at=time.time()))
    except WebhookRefused:
        refusals.note()
        raise WebhookUnwanted from None
    except NotFound:
        raise NotFound from None
    return HttpResponse(status=202 if heard == Heard.EARLY else 200)


def _read(request: HttpRequest) -> bytes:
    """The body, looked at no further than it may be long."""
    length = request.headers.get("Content-Length", "")
    if length.isascii() and length.isdigit() and (len(length) > 12 or int(length) > MAX_BODY_BYTES):
        raise WebhookTooLarge
    body = request.read(MAX_BODY_BYTES + 1)
    if len(body) > MAX_BODY_BYTES:
        raise WebhookTooLarge
    return body
