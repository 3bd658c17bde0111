"""What is held here of an account: its receivers, its wishes, and what was told to it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from accounts.leaving import Part
from notifications.models import Delivery, Endpoint, MailWish


def remove(user_pk: int) -> Sequence[str]:
    """Nobody is told anything more, and nothing is left. Raises nothing; repeating it does no harm."""
    MailWish.objects.filter(owner_id=user_pk).delete()
    Delivery.objects.filter(owner_id=user_pk).delete()
    Endpoint.objects.filter(owner_id=user_pk).delete()
    return []


def export(user_pk: int) -> Mapping[str, Iterable[Mapping[str, Any]]]:
    """Receivers without their secrets, what was told to them and when, and of what mail was wished."""
    told = ("event_id", "type", "status", "happened_at", "ended_at", "log")
    return {
        "webhooks": (
            {
                "hookId": one.hook_id,
                "url": one.url,
                "description": one.description,
                "events": one.events,
                "isOn": one.is_on,
                "createdAt": one.created_at.isoformat(),
            }
            for one in Endpoint.objects.filter(owner_id=user_pk).iterator()
        ),
        "deliveries": (
            {name: getattr(one, name) if name == "log" else str(getattr(one, name) or "") for name in told}
            for one in Delivery.objects.filter(owner_id=user_pk).only(*told).iterator()
        ),
        "mail": ({"mailOn": one.events} for one in MailWish.objects.filter(owner_id=user_pk)),
    }


PART = Part(name="notifications", remove=remove, export=export)
