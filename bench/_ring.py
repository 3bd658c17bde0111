"""Rings for the drain every five seconds, as beat does."""

import time

from bench import _place as place

if __name__ == "__main__":
    import django

    django.setup()
    from celery import current_app

    from runs.dispatch import DRAIN

    assert place.ROOT
    while True:
        current_app.send_task(DRAIN, queue="drain", expires=5)
        time.sleep(5)
