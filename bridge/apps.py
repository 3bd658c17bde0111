"""What joins the two engines: finished runs as events of flows."""

from django.apps import AppConfig


class BridgeConfig(AppConfig):
    """Events that flows are still to be given."""

    name = "bridge"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Be told of what runs do."""
        from bridge.herald import Bridge  # noqa: PLC0415 (models are there only now)
        from runs import heralds  # noqa: PLC0415

        heralds.appoint(Bridge())
