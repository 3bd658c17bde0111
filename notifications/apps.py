"""What goes out: webhooks and mail."""

from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    """Receivers, wishes for mail, and the outbox."""

    name = "notifications"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Be the one that runs tell, have our secrets rotated with the vault's, and say what we hold of an account."""
        from accounts.leaving import register  # noqa: PLC0415 (models are there only now)
        from accounts.vault import rotation  # noqa: PLC0415
        from notifications import leaving, rekeying  # noqa: PLC0415
        from notifications.herald import Outbox  # noqa: PLC0415
        from runs import heralds  # noqa: PLC0415

        heralds.appoint(Outbox())
        rotation.further(rekeying.rotate)
        register(leaving.PART)
