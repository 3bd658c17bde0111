"""The same work by Procrastinate, on the same PostgreSQL: its own statements, by its own blocking connector."""

from collections.abc import Callable

from django.db import connection
from procrastinate import SyncPsycopgConnector, sql
from procrastinate.schema import SchemaManager

from bench import _place as place

_JOBS = """
INSERT INTO procrastinate_jobs (queue_name, task_name, args, status)
SELECT 'default', 'build', '{"n": 1}', %(status)s::procrastinate_job_status FROM generate_series(1, %(count)s)
"""
_TIDY = ("VACUUM ANALYZE procrastinate_jobs", "VACUUM ANALYZE procrastinate_events", "CHECKPOINT")


def install() -> None:
    """Its tables, beside ours."""
    connector = _connector()
    SchemaManager(connector).apply_schema()
    connector.close()


def fill(count: int, status: str = "todo") -> None:
    """So many jobs in that status."""
    place.execute(_JOBS, status=status, count=count)
    for statement in _TIDY:
        place.execute(statement)


def fetches(worker: str, batch: int) -> Callable[[], int]:
    """A function that fetches one job: how many it got."""
    fetch, _ = _worker()
    return lambda: int(fetch() is not None)


def pairs(worker: str, batch: int) -> Callable[[], int]:
    """A function that fetches one job and finishes it."""
    fetch, connector = _worker()

    def once() -> int:
        job = fetch()
        if job is None:
            return 0
        connector.execute_query(query=sql.queries["finish_job"], job_id=job, status="succeeded", delete_job=False)
        return 1

    return once


def _worker() -> tuple[Callable[[], int | None], SyncPsycopgConnector]:
    connector = _connector()
    worker = connector.execute_query_one(query=sql.queries["register_worker"])["worker_id"]
    query = sql.queries["fetch_job"]

    def fetch() -> int | None:
        job: int | None = connector.execute_query_one(query=query, queues=None, worker_id=worker)["id"]
        return job

    return fetch, connector


def _connector() -> SyncPsycopgConnector:
    """One connection a process, as Django keeps one."""
    settings = connection.settings_dict
    words = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    address = {word: settings[name] for word, name in words.items() if settings[name]}
    connector = SyncPsycopgConnector(kwargs=address, min_size=1, max_size=1)
    connector.open()
    return connector
