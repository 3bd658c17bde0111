"""What starts runs without a person: schedules, triggers and batches."""

from importlib import import_module

from django.apps import AppConfig

from accounts import leaving


class AutomationsConfig(AppConfig):
    """Standing orders, and every run that one of them began or should have begun."""

    name = "automations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what is held of an account, and what part we have in runs; the tables can be imported only now."""
        leaving.register(import_module("automations.leaving").PART)
        import_module("runs.neighbours").register(import_module("automations.neighbour").NEIGHBOUR)
