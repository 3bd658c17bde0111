"""Recipes."""

from importlib import import_module

from django.apps import AppConfig

from accounts.leaving import register


class ZapsConfig(AppConfig):
    """The recipe format, planning and the catalogue."""

    name = "zaps"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say what is held of an account; it needs the models."""
        register(import_module("zaps.leaving").PART)
