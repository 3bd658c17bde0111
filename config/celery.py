"""The Celery application. `celery -A config worker` and `celery -A config beat` find it here."""

import gc
import logging
import os
import sys
import threading
import time
from typing import Any

from celery import Celery
from celery.signals import beat_init, task_prerun, worker_ready
from django.conf import settings
from django.db import close_old_connections
from kombu.transport import TRANSPORT_ALIASES

from embedded import presence

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

logger = logging.getLogger(__name__)

TRANSPORT_ALIASES.update(redis="config.broker:Transport", rediss="config.broker:Transport")
app = Celery("zaps")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# By itself Celery ends the database connection around every task, and a new one costs more than most of ours.
app.conf.CELERY_DB_REUSE_MAX = sys.maxsize


_checked = threading.local()


@task_prerun.connect
def _check_connections(**_: Any) -> None:
    """Once a second a thread: a connection that the server ended is replaced."""
    if time.monotonic() - getattr(_checked, "at", 0.0) > 1.0:
        close_old_connections()
        _checked.at = time.monotonic()


@worker_ready.connect
def _freeze(**_: Any) -> None:
    """What was made at the start stays to the end: the garbage collector need not look at it again and again."""
    gc.collect()
    gc.freeze()


@worker_ready.connect
def _announce_queues(sender: Any, **_: Any) -> None:
    for queue in sender.app.amqp.queues.consume_from:
        _announce(queue)


@beat_init.connect
def _announce_beat(**_: Any) -> None:
    _announce("beat")


def _announce(name: str) -> None:
    """Let the command line on this machine see that it need not start its own."""
    try:
        presence.announce(settings.ZAPS_DATA_DIR, name)
    except OSError as exc:
        logger.warning("presence=%s error=%s", name, type(exc).__name__)
