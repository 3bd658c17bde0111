"""Recipes."""

from django.apps import AppConfig


class ZapsConfig(AppConfig):
    """The recipe format, planning and the catalogue."""

    name = "zaps"
    default_auto_field = "django.db.models.BigAutoField"
