"""Wiring: settings, addresses, the schedule and the entry points. Nobody imports this room."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
