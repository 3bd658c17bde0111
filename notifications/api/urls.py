"""The addresses of webhooks and mail, below /api/."""

from django.urls import path, register_converter

from core.api.converters import PublicId
from notifications.api.deliveries import Deliveries, ResendDelivery
from notifications.api.mail import MailWishes, stop_mail
from notifications.api.webhooks import RotateWebhook, TestWebhook, Webhook, Webhooks


class EventId:
    """`evt_4k9f2c8s1x7q3b5z_12`: a run's event."""

    regex = "evt_[0-9a-z_]{1,50}"

    def to_python(self, value: str) -> str:
        """As it stands."""
        return value

    def to_url(self, value: str) -> str:
        """As it stands."""
        return value


register_converter(PublicId, "hook_id")
register_converter(EventId, "event_id")

urlpatterns = [
    path("webhooks", Webhooks.as_view(), name="webhooks"),
    path("webhooks/<hook_id:hook_id>", Webhook.as_view(), name="webhook-endpoint"),
    path("webhooks/<hook_id:hook_id>/test", TestWebhook.as_view(), name="test-webhook"),
    path("webhooks/<hook_id:hook_id>/rotate", RotateWebhook.as_view(), name="rotate-webhook"),
    path("webhooks/<hook_id:hook_id>/deliveries", Deliveries.as_view(), name="deliveries"),
    path(
        "webhooks/<hook_id:hook_id>/deliveries/<event_id:event_id>/resend",
        ResendDelivery.as_view(),
        name="resend-delivery",
    ),
    path("notifications", MailWishes.as_view(), name="notifications"),
    path("notifications/stop/<str:token>", stop_mail, name="stop-mail"),
]
