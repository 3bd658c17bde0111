"""The engine that runs recipes."""

from importlib import import_module

from django.apps import AppConfig

from accounts.leaving import register


class RunsConfig(AppConfig):
    """Runs, steps, attempts, assets, feedback and cron logs."""

    name = "runs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what is held of an account; it needs the models."""
        register(import_module("runs.deletion.of_account").PART)
