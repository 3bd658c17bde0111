"""What starts runs without a person: schedules, triggers and batches."""

from importlib import import_module

from django.apps import AppConfig

from accounts.leaving import register


class AutomationsConfig(AppConfig):
    """Standing orders, and every run that one of them began or should have begun."""

    name = "automations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what is held of an account; the tables can be imported only now."""
        register(import_module("automations.leaving").PART)
