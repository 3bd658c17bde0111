"""What is shown of receivers and of what was told to them."""

from typing import Any

from rest_framework import serializers

from core.api.fields import EpochMs, TextOrNull
from notifications.models import Delivery, Endpoint


class WebhookRow(serializers.Serializer[Any]):
    """A webhook endpoint, without its secret."""

    hookId = serializers.CharField(source="hook_id")
    userId = serializers.SerializerMethodField()
    runId = serializers.SerializerMethodField(help_text="The one run that it is told of; null: all of its owner's.")
    url = serializers.CharField()
    description = TextOrNull()
    events = serializers.ListField(child=serializers.CharField())
    isOn = serializers.BooleanField(source="is_on")
    offReason = TextOrNull(source="off_reason", help_text="owner, operator, gone or failing; null while it is on.")
    failures = serializers.IntegerField(help_text="In a row.")
    failingSince = EpochMs(source="failing_since", allow_null=True)
    oldSecretUntil = EpochMs(source="old_until", allow_null=True, help_text="Until then the old secret signs too.")
    createdAt = EpochMs(source="created_at")
    rotatedAt = EpochMs(source="rotated_at", allow_null=True)

    def get_userId(self, endpoint: Endpoint) -> str:  # noqa: N802 (the wire's word)
        """Whose it is."""
        return str(endpoint.owner_id)

    def get_runId(self, endpoint: Endpoint) -> str | None:  # noqa: N802
        """The run's id."""
        return endpoint.run.run_id if endpoint.run is not None else None


class ShownWebhookRow(WebhookRow):
    """A webhook endpoint with its secret, this once."""

    secret = serializers.SerializerMethodField(help_text="Keep it: it is not shown again.")

    def get_secret(self, endpoint: Endpoint) -> str:
        """What signs for it."""
        return str(self.context["secret"])


class WebhookPage(serializers.Serializer[Any]):
    """Some webhook endpoints, newest first."""

    webhooks = WebhookRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)


class TryRow(serializers.Serializer[Any]):
    """One try."""

    at = serializers.IntegerField(help_text="Milliseconds since 1970.")
    status = serializers.IntegerField(allow_null=True, help_text="The receiver's; null where it gave none.")
    ms = serializers.IntegerField(help_text="How long it took.")
    code = serializers.CharField(help_text="DELIVERED, or why not.")


class DeliveryRow(serializers.Serializer[Any]):
    """One message to one receiver. What was said to it is not repeated here, nor what it answered."""

    eventId = serializers.CharField(source="event_id", help_text="The webhook-id of all its tries.")
    type = serializers.CharField()
    runId = serializers.SerializerMethodField()
    status = serializers.ChoiceField(choices=["waiting", "delivered", "failed"])
    happenedAt = EpochMs(source="happened_at")
    nextTryAt = EpochMs(source="due_at", allow_null=True)
    endedAt = EpochMs(source="ended_at", allow_null=True)
    tries = TryRow(many=True, source="log")

    def get_runId(self, delivery: Delivery) -> str | None:  # noqa: N802
        """The run that it tells of."""
        run_id: str | None = delivery.data.get("runId")
        return run_id


class DeliveryPage(serializers.Serializer[Any]):
    """Some deliveries, newest first."""

    deliveries = DeliveryRow(many=True)
    nextCursor = serializers.CharField(allow_null=True)
