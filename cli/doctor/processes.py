"""The servers that an installation stands on, and the processes that do its work. Imported once Django is set up."""

import logging
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
from django.apps import apps
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from cli.doctor.findings import Finding, Look, fail, ok, warn
from config.celery import app
from embedded import presence
from runs.models import CronLog

logger = logging.getLogger(__name__)

_BROKER_TIMEOUT_S = 2
_QUIET = timedelta(minutes=1)  # the drain leaves a row every few seconds
_BEAT_LATE = timedelta(minutes=2)
_SKEW_WARN_S, _SKEW_FAIL_S = 2.0, 30.0
_START = "Start it: `zap up`, or `celery -A config worker` and `celery -A config beat`."


def is_embedded() -> bool:
    """Whether servers and workers of this machine come up when they are needed."""
    return not os.environ.get("DATABASE_URL")


def database() -> Iterator[Finding]:
    """Does it answer, and does it have this version's tables?"""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0]
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as exc:
        remedy = "Check DATABASE_URL, and that PostgreSQL is up."
        yield fail("database", f"It does not answer: {type(exc).__name__}.", remedy)
        return
    yield ok("database", f"PostgreSQL {version} answers.")
    if missing:
        yield fail("migrations", f"{len(missing)} migrations were not made.", "Run: manage.py migrate")
    else:
        yield ok("migrations", "The tables are those of this version.")


def clock() -> Iterator[Finding]:
    """Due times and leases go by the database's clock, signatures and logs by ours."""
    before = time.time()
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())::float8")
        theirs = cursor.fetchone()[0]
    yield judge_skew(theirs - (before + time.time()) / 2)


def judge_skew(ahead_s: float) -> Finding:
    """What it means that the database's clock is that many seconds ahead of ours."""
    message = f"The database's clock is {abs(ahead_s):.1f} s {'ahead of' if ahead_s >= 0 else 'behind'} this one."
    if abs(ahead_s) < _SKEW_WARN_S:
        return ok("clock", message)
    tell = fail if abs(ahead_s) >= _SKEW_FAIL_S else warn
    return tell("clock", message, "Let both machines keep time by NTP.")


def broker() -> Iterator[Finding]:
    """Without it runs go on, but only as fast as the drain finds them."""
    client = redis.from_url(
        settings.REDIS_URL, socket_timeout=_BROKER_TIMEOUT_S, socket_connect_timeout=_BROKER_TIMEOUT_S
    )
    try:
        version = client.info("server").get("redis_version", "")
        yield ok("broker", f"Redis or Valkey {version} answers.")
    except redis.RedisError as exc:
        yield fail(
            "broker", f"It does not answer: {type(exc).__name__}.", "Check REDIS_URL, and that the server is up."
        )
    finally:
        client.close()


def workers() -> Iterator[Finding]:
    """Is somebody at work on every queue, here or on another machine?"""
    wanted = {queue.name for queue in settings.CELERY_TASK_QUEUES}
    served = {name for name in wanted if presence.is_present(Path(settings.ZAPS_DATA_DIR), name)}
    if not wanted <= served:
        served |= _served_elsewhere()
    if wanted <= served:
        yield ok("workers", f"Somebody is at work on every queue: {', '.join(sorted(wanted))}.")
    elif is_embedded() and not served:
        yield ok("workers", "None are at work; `zap run` starts its own, `zap up` keeps some.")
    else:
        missing = sorted(wanted - served)
        remedy = f"Start one: celery -A config worker -Q {','.join(missing)}"
        yield fail("workers", f"Nobody is at work on: {', '.join(missing)}.", remedy)


def _served_elsewhere() -> set[str]:
    """The queues that workers of this broker say they take; none while it is down."""
    if is_embedded():
        return set()
    try:
        told = app.control.inspect(timeout=_BROKER_TIMEOUT_S).active_queues() or {}
    except Exception as exc:
        logger.debug("no worker could be asked: %s", type(exc).__name__)
        return set()
    return {queue["name"] for queues in told.values() for queue in queues}


def schedule() -> Iterator[Finding]:
    """Does beat send, and does the drain run?"""
    now = datetime.now(UTC)
    newest = CronLog.objects.order_by("-start_time").first()
    if newest is not None and now - newest.start_time < _QUIET:
        yield ok("drain", f"It ran {(now - newest.start_time).total_seconds():.0f} s ago.")
    elif is_embedded() and not presence.is_present(Path(settings.ZAPS_DATA_DIR), "drain"):
        yield ok("drain", "It does not run while nobody is at work here.")
    else:
        last = f"since {newest.start_time:%Y-%m-%d %H:%M} UTC" if newest else "yet"
        yield fail("drain", f"It has not run {last}.", _START)
    if newest is not None and newest.status == "failed":
        yield warn("drain", f"Its last cycle failed: {newest.error}", "See the cron logs in the admin.")
    yield from _beat(now)


def _beat(now: datetime) -> Iterator[Finding]:
    tasks = apps.get_model("django_celery_beat", "PeriodicTask")._default_manager
    rows = list(tasks.filter(interval__isnull=False))
    if not any(row.enabled and row.name == "drain" for row in rows):
        remedy = "Switch it on in the admin, or see that something else asks the drain's address every few seconds."
        yield warn("beat", "The entry `drain` of the schedule is missing or switched off.", remedy)
        return
    if any(row.enabled and row.last_run_at and now - row.last_run_at < _BEAT_LATE for row in rows):
        yield ok("beat", "It sent something within the last two minutes.")
    elif is_embedded() and not presence.is_present(Path(settings.ZAPS_DATA_DIR), "beat"):
        yield ok("beat", "It does not run while nobody is at work here.")
    else:
        yield fail("beat", "It has sent nothing for two minutes.", _START)


LOOKS: dict[str, Look] = {
    "database": database,
    "clock": clock,
    "broker": broker,
    "workers": workers,
    "schedule": schedule,
}
