"""`python -m config.healthy NAME`: exit 0 when that process of this container does its work, 1 when it does not.

A worker that runs is not enough: Celery can lose its broker and wait in silence. So a worker must answer a question
through the broker, and the schedule must have sent something lately.
"""

import os
import socket
import sys
import urllib.request
from datetime import timedelta

import django
from celery import current_app
from django.apps import apps
from django.utils import timezone

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
_TIMEOUT_S = 5.0
_LATE = timedelta(minutes=2)


def main(name: str) -> int:
    """The exit code for `web`, `beat`, or a worker called by its node name."""
    healthy = {"web": _web, "beat": _beat}.get(name)
    return 0 if (healthy() if healthy else _worker(name)) else 1


def _web() -> bool:
    port = os.environ.get("PORT", "8000")
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=_TIMEOUT_S) as answer:
        return bool(answer.status == 200)


def _worker(name: str) -> bool:
    django.setup()
    return bool(current_app.control.ping([f"{name}@{socket.gethostname()}"], timeout=_TIMEOUT_S))


def _beat() -> bool:
    django.setup()
    tasks = apps.get_model("django_celery_beat", "PeriodicTask")._default_manager
    waiting = tasks.filter(enabled=True, interval__isnull=False)
    return bool(not waiting.exists() or waiting.filter(last_run_at__gt=timezone.now() - _LATE).exists())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
