"""One mail on its way: plain text with the same as HTML beside it, about one thing that happened to one run."""

import smtplib
import time
from dataclasses import dataclass
from email.errors import MessageError
from typing import Any

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string

from core.api.links import public_url
from notifications.events import TURNED_OFF, data_of
from notifications.models import Delivery
from notifications.outbox import Outcome

_SALT = "notifications.unsubscribe"
_HEADS = {
    "run.waiting": "{zap} waits for you",
    "run.done": "{zap} is done",
    "run.failed": "{zap} failed",
    TURNED_OFF: "A webhook was turned off",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What a mail says."""

    head: str
    facts: list[tuple[str, str]]
    link: str
    stop_link: str


def send(delivery: Delivery) -> Outcome:
    """Hand it to the mail server."""
    began = time.monotonic()
    code, is_final = _try(delivery)
    return Outcome(code=code, is_final=is_final, took_ms=round((time.monotonic() - began) * 1000))


def owner_of(token: str) -> int:
    """Whose mails that link ends. Raises django.core.signing.BadSignature."""
    pk: int = signing.loads(token, salt=_SALT)
    return pk


def _try(delivery: Delivery) -> tuple[str, bool]:
    address = delivery.owner.email
    if not settings.ZAP_MAIL_ON:
        return "MAIL_OFF", True
    if not address or not delivery.owner.is_active:
        return "NO_ADDRESS", True
    try:
        _message(delivery, address).send()
    except smtplib.SMTPRecipientsRefused:
        return "REFUSED", True
    except (smtplib.SMTPException, OSError):
        return "UNREACHABLE", False
    except (MessageError, ValueError):  # an address that is none
        return "NO_ADDRESS", True
    return "DELIVERED", False


def _message(delivery: Delivery, address: str) -> EmailMultiAlternatives:
    letter = letter_of(delivery)
    context = {"letter": letter}
    headers = {"Message-ID": f"<{delivery.event_id}.{delivery.owner_id}@zaps>", "Auto-Submitted": "auto-generated"}
    if letter.stop_link.startswith("https://"):
        headers |= {
            "List-Unsubscribe": f"<{letter.stop_link}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        }
    message = EmailMultiAlternatives(
        subject=letter.head,
        body=render_to_string("notifications/mail.txt", context),
        from_email=settings.ZAP_MAIL_FROM,
        to=[address],
        headers=headers,
    )
    message.attach_alternative(render_to_string("notifications/mail.html", context), "text/html")
    return message


def letter_of(delivery: Delivery) -> Letter:
    """What is to be said."""
    data = data_of(delivery.data)
    token = signing.dumps(delivery.owner_id, salt=_SALT)
    return Letter(
        head=_HEADS[delivery.type].format(zap=data.get("zapSlug", "")),
        facts=_facts(data),
        link=data.get("pageUrl", ""),
        stop_link=public_url(f"/api/notifications/stop/{token}"),
    )


def _facts(data: dict[str, Any]) -> list[tuple[str, str]]:
    if "hookId" in data:
        why = {
            "gone": "it said that it is gone (410)",
            "failing": "it failed for three days",
            "operator": "an operator did it",
        }
        return [("Webhook", data["hookId"]), ("Why", why[data["reason"]])]
    facts = [("Run", data["runId"]), ("Recipe", data["zapSlug"]), ("Cost so far", f"${data['costUsd']:.2f}")]
    if data.get("waitReason"):
        facts.append(("Waits for", str(data["waitReason"]).replace("_", " ")))
    if data.get("error"):
        facts.append(("Error", data["error"]))
    return facts
