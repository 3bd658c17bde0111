"""The engine that runs recipes."""

from django.apps import AppConfig


class RunsConfig(AppConfig):
    """Runs, steps, attempts, assets, feedback and cron logs."""

    name = "runs"
    default_auto_field = "django.db.models.BigAutoField"
