"""One webhook on its way: signed, sent once through the guard, and whatever came of it as a code of ours."""

import json
import time
from datetime import UTC, datetime

from django.conf import settings
from django.utils import timezone

from accounts.vault.cipher import SecretUnreadable, VaultClosed
from notifications import policy
from notifications.endpoints import secrets_of
from notifications.events import data_of
from notifications.models import Delivery, Endpoint
from notifications.outbox import Outcome
from notifications.signing import sign
from providers import http
from providers.contract import Call, Reply, Talk
from providers.errors import AddressRefused, NotSent, ProviderError
from providers.home import Home
from providers.verdict import retry_after_s

_AGENT = "Zaps-Webhooks/1"


def post(delivery: Delivery, endpoint: Endpoint) -> Outcome:
    """One request. Whoever takes it in within ten seconds, with any 2xx, has it; redirects are not followed."""
    began = time.monotonic()
    try:
        call = _call(delivery, endpoint, at=timezone.now())
        reply = http.hold(_once(call), timeout_s=(policy.CONNECT_S, policy.ANSWER_S))
    except (SecretUnreadable, VaultClosed) as exc:
        return Outcome(code=exc.code, took_ms=_since(began))
    except AddressRefused:
        return Outcome(code="ADDRESS_REFUSED", took_ms=_since(began))
    except NotSent:
        return Outcome(code="UNREACHABLE", took_ms=_since(began))
    except ProviderError:
        return Outcome(code="NO_ANSWER", took_ms=_since(began))
    wait_s = retry_after_s(reply.headers)
    is_gone = reply.status == 410
    return Outcome(
        code=_code(reply.status), status=reply.status, took_ms=_since(began), retry_after_s=wait_s, is_final=is_gone
    )


def home_of(url: str) -> Home:
    """Where a webhook may lead: an origin of ZAP_WEBHOOK_ORIGINS as it is, any other over https to public addresses."""
    named = Home.named_by_operator(*settings.ZAP_WEBHOOK_ORIGINS)
    return named.and_at(url, is_named=False)


def document(delivery: Delivery) -> bytes:
    """The body: the same bytes in every try."""
    moment = delivery.happened_at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    said = {"type": delivery.type, "timestamp": moment, "data": data_of(delivery.data)}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def _call(delivery: Delivery, endpoint: Endpoint, *, at: datetime) -> Call:
    body, at_s = document(delivery), int(at.timestamp())
    headers = {
        "content-type": "application/json",
        "user-agent": _AGENT,
        "webhook-id": delivery.event_id,
        "webhook-timestamp": str(at_s),
        "webhook-signature": sign(body, message_id=delivery.event_id, at_s=at_s, by=secrets_of(endpoint, at=at)),
    }
    return Call(
        method="POST", url=endpoint.url, headers=headers, body=body, home=home_of(endpoint.url),
        paid=True,  # so it goes out once, on a connection of its own
        most_bytes=policy.MOST_ANSWER_BYTES,
    )  # fmt: skip


def _once(call: Call) -> Talk[Reply]:
    return (yield call)


def _code(status: int) -> str:
    if 200 <= status < 300:
        return "DELIVERED"
    if status == 410:
        return "GONE"
    return "REDIRECTED" if 300 <= status < 400 else "REFUSED"


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
