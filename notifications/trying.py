"""What an owner asks for by hand: a trial, and one message once more."""

from django.db.models.functions import Now

from core.errors import Conflict, NotFound
from core.ids import new_id
from notifications import outbox
from notifications.deliver import deliver
from notifications.events import TEST
from notifications.models import Delivery, Endpoint


class WebhookOff(Conflict):
    """Nothing is sent to a receiver that is turned off."""

    code = "WEBHOOK_OFF"
    title = "This webhook endpoint is turned off."
    remediation = "Turn it on first: PATCH it with isOn true."


class DeliveryOpen(Conflict):
    """It is on its way already."""

    code = "DELIVERY_OPEN"
    title = "This delivery is on its way already."
    remediation = "Wait for its next try."


def try_out(endpoint: Endpoint) -> Delivery:
    """Send it a test, and wait for what comes of it: ten seconds at most."""
    delivery = Delivery.objects.create(
        owner_id=endpoint.owner_id,
        endpoint=endpoint,
        event_id=new_id("evt"),
        type=TEST,
        data={"hookId": endpoint.hook_id},
        rung_at=Now(),  # nobody else needs to be told
    )
    deliver(delivery.pk)
    delivery.refresh_from_db()
    return delivery


def resend(endpoint: Endpoint, event_id: str) -> Delivery:
    """Send one once more, under the id that it had. Raises NotFound, WebhookOff and DeliveryOpen."""
    delivery = Delivery.objects.filter(endpoint=endpoint, event_id=event_id).first()
    if delivery is None:
        raise NotFound(f"There is no delivery {event_id!r}.")
    if not endpoint.is_on:
        raise WebhookOff
    if not outbox.again(delivery):
        raise DeliveryOpen
    delivery.refresh_from_db()
    return delivery
