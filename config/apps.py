"""The wiring as a Django application: system checks, and the schedule's rows after a migration."""

from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import register
from django.db.models.signals import post_migrate

from config import checks, schedule


class ConfigConfig(AppConfig):
    """Knows no tables."""

    name = "config"

    def ready(self) -> None:
        """Hook the checks and the schedule in."""
        for check in checks.ALL:
            register(check)
        post_migrate.connect(_add_schedule, sender=apps.get_app_config("django_celery_beat"))


def _add_schedule(**_: Any) -> None:
    schedule.add_missing()
