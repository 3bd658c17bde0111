"""Figures of the whole house, for the operators' first page and for `/metrics`: what is open, and how late it is.

Each is one statement that an index answers from the rows that are still open, or from the newest; or one round trip to
Redis. So none grows with what the tables hold.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import redis
from django.conf import settings
from django.db import connection, transaction

from runs.models import DeadLetter

QUEUES = ("engine", "results", "media", "drain")
MOST_LETTERS = 1000  # more dead letters are not counted one by one
_LONGEST_MS = 1000
_BROKER_TIMEOUT_S = 0.5

_LATE = """count(*), extract(epoch FROM statement_timestamp() - min(due_at) FILTER (
    WHERE due_at < statement_timestamp() AND (lease_until IS NULL OR lease_until < statement_timestamp())))::float"""
# Two halves, since each has an index of its own that holds nothing else.
_ATTEMPTS = f"""
    SELECT status, provider, {_LATE} FROM attempts WHERE status = 'accepted' GROUP BY 1, 2
    UNION ALL
    SELECT status, provider, {_LATE} FROM attempts
    WHERE status IN ('canceling', 'planned', 'settling', 'submitting', 'unknown') GROUP BY 1, 2
"""  # noqa: S608 (no value is put in)
_RUNS = """
    SELECT status, coalesce(wait_reason, ''), count(*) FROM runs
    WHERE NOT (status IN ('canceled', 'done', 'failed')) GROUP BY 1, 2
"""
_STEPS = """
    SELECT wait_reason, count(*) FROM steps
    WHERE status IN ('queued', 'running', 'waiting') AND wait_reason IS NOT NULL GROUP BY 1
"""
_ENDS = """
    SELECT count(*) FILTER (WHERE status = 'failed' AND is_new), count(*) FILTER (WHERE is_new),
        count(*) FILTER (WHERE status = 'failed'), count(*)
    FROM (
        SELECT status, finished_at > statement_timestamp() - interval '1 hour' AS is_new FROM runs
        WHERE status IN ('done', 'failed') AND finished_at > statement_timestamp() - interval '1 day'
    ) AS ended
"""
_CYCLES = """
    SELECT (SELECT extract(epoch FROM statement_timestamp() - max(start_time))::float FROM cron_logs),
        count(*), count(*) FILTER (WHERE status = 'failed'),
        coalesce(sum(processed_count), 0)::bigint, coalesce(sum(error_count), 0)::bigint
    FROM cron_logs WHERE start_time > statement_timestamp() - interval '10 minutes'
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAttempts:
    """Attempts of one status at one provider. `late_s`: for how long the latest should have been looked at, if any."""

    status: str
    provider: str
    count: int
    late_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """Runs that ended in the last hour and day, and how many of them failed. Canceled ones count as neither."""

    hour_failed: int
    hour_ended: int
    day_failed: int
    day_ended: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """The drain: seconds since its newest cycle began, None where it never ran; and its last ten minutes."""

    age_s: float | None
    begun: int
    failed: int
    processed: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Messages that no worker has taken, by queue; those that one has; and how many workers listen."""

    waiting: dict[str, int]
    taken: int
    workers: int


@contextmanager
def within_a_second() -> Iterator[None]:
    """What is asked of the database inside is given up after a second each. Raises DatabaseError."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL statement_timeout = {_LONGEST_MS}")
        yield


def attempts() -> list[OpenAttempts]:
    """What is at a provider, on its way there, or to be stored."""
    rows = _rows(_ATTEMPTS)
    return [OpenAttempts(status=row[0], provider=row[1], count=row[2], late_s=row[3]) for row in rows]


def open_runs() -> dict[tuple[str, str], int]:
    """Open runs by status and the reason why they wait; "" where there is none."""
    return {(status, reason): count for status, reason, count in _rows(_RUNS)}


def steps_waiting() -> dict[str, int]:
    """Open steps that say why they wait, by reason."""
    return dict(_rows(_STEPS))


def ends() -> Ends:
    """How runs have ended lately."""
    ((hour_failed, hour_ended, day_failed, day_ended),) = _rows(_ENDS)
    return Ends(hour_failed=hour_failed, hour_ended=hour_ended, day_failed=day_failed, day_ended=day_ended)


def cycles() -> Cycles:
    """Whether the drain runs, and what its cycles say."""
    ((age_s, begun, failed, processed, errors),) = _rows(_CYCLES)
    return Cycles(age_s=age_s, begun=begun, failed=failed, processed=processed, errors=errors)


def dead_letters() -> int:
    """How many failed steps nobody has made go on; MOST_LETTERS + 1 means more than that."""
    return DeadLetter.objects.order_by().select_related(None).values("pk")[: MOST_LETTERS + 1].count()


def messages() -> Messages:
    """What the broker holds, and who listens. Raises redis.RedisError."""
    with (
        redis.from_url(
            settings.REDIS_URL, socket_timeout=_BROKER_TIMEOUT_S, socket_connect_timeout=_BROKER_TIMEOUT_S
        ) as broker,
        broker.pipeline(transaction=False) as asked,
    ):
        for queue in QUEUES:
            asked.llen(queue)
        asked.hlen("unacked")
        asked.client_list(_type="pubsub")
        *lengths, taken, listeners = asked.execute()
    # For as long as it lives, every worker listens for remote control; kombu subscribes to that by a pattern.
    workers = sum(client["psub"] != "0" for client in listeners)
    return Messages(waiting=dict(zip(QUEUES, lengths, strict=True)), taken=taken, workers=workers)


def _rows(statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return list(cursor.fetchall())
