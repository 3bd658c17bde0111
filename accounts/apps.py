"""Who is calling."""

from importlib import import_module

from django.apps import AppConfig
from django.core.checks import Tags, register

from accounts import leaving


class AccountsConfig(AppConfig):
    """API tokens, idempotency keys and the vault."""

    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Hook the check in; it needs the models."""
        checks = import_module("accounts.checks")
        register(checks.check_vault, Tags.database)
        leaving.register(import_module("accounts.leaving.own").PART)
