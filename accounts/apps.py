"""Who is calling."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """API tokens and idempotency keys."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
