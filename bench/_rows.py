"""A million rows of every table that the admin lists, written in a minute or two.

Row n of one table belongs to row n of the other, so that each can be written for itself. What a column holds follows
from its field; `ROWS` says what is otherwise, in SQL over `n`, from 1, and `at`, one second a row and the newest now.
"""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

FEW = {"accounts.OperatorPrice": 1000, "auth.Group": 1000}  # made one by one, by an operator's own hand

_WAITS, _FAILED = "n % 2000 = 0", "n % 20 = 1"
_STATUS = f"CASE WHEN {_WAITS} THEN 'waiting' WHEN {_FAILED} THEN 'failed' ELSE 'done' END"
_STAGE = f"CASE WHEN {_WAITS} THEN 'review' WHEN {_FAILED} THEN 'failed' ELSE 'complete' END"
_REASON = f"CASE WHEN {_WAITS} THEN 'approval' END"
_CODE = f"CASE WHEN {_FAILED} THEN 'PROVIDER_UNAVAILABLE' ELSE '' END"
_ENDED, _DUE = f"CASE WHEN {_WAITS} THEN NULL ELSE at END", f"CASE WHEN {_WAITS} THEN now() END"
_OF_RUN, _SHA = {"run_id": "'run_' || n", "step_id": "'clip'"}, "encode(sha256(n::text::bytea), 'hex')"
_ORDER = {"made_by": "'user:1'", "slug": "'recipe-' || n % 200", "mode": "'mock'"}
_CYCLE = {
    "job_name": "'drain'", "end_time": "at", "duration": "40",
    "status": "CASE WHEN n % 100 = 0 THEN 'partial' ELSE 'success' END",
    "error": "CASE WHEN n % 100 = 0 THEN 'PROVIDER_UNAVAILABLE: The provider is busy.' ELSE '' END",
}  # fmt: skip

ROWS: dict[str, dict[str, str]] = {
    "accounts.ApiToken": {"name": "'laptop'", "prefix": "'zap_' || n", "scopes": "'{read}'"},
    "accounts.Departure": {
        "due_at": "CASE WHEN n % 1000 = 0 THEN at END", "done_at": "CASE WHEN n % 1000 = 0 THEN NULL ELSE at END",
    },
    "accounts.IdempotencyKey": {"principal": "'user:1'", "key": "'key-' || n", "run_id": "'run_' || n"},
    "accounts.OperatorPrice": {"provider": "'fal'", "model": "'model-' || n", "unit": "'second'", "usd": "1"},
    "accounts.Retention": {"days": "30"},
    "accounts.Secret": {
        "owner_id": "1", "provider": "'fal'", "name": "'fal_key'", "request_ref": "'run_' || n",
        "fingerprint": "md5(n::text)",
    },
    "accounts.SecretAccess": {
        "owner_id": "1", "provider": "'fal'", "used_for": "'user:' || n % 1000", "why": "'submit'", **_OF_RUN,
        "source": "CASE WHEN n % 5000 = 0 THEN 'request' ELSE 'creator' END",
    },
    "admin.LogEntry": {
        "content_type_id": "(SELECT id FROM django_content_type WHERE app_label = 'runs' AND model = 'run')",
        "object_id": "n", "object_repr": "'run_' || n", "action_flag": "CASE WHEN n % 5000 = 0 THEN 3 ELSE 2 END",
    },
    "auth.User": {
        "id": "n + 1", "username": "'person-' || n", "email": "'person-' || n || '@example.com'",
        "is_active": "n % 5000 <> 0", "is_staff": "n % 50000 = 0",
    },
    "automations.Batch": {**_ORDER, "row_count": "1", "status": "'done'", "finished_at": "at"},
    "automations.Firing": {
        "batch_id": "n", "number": "1", "line": "1", "run_id": "n", "begun_at": "at", "ended_at": "at",
        "status": "CASE WHEN n % 1000 = 0 THEN 'refused' ELSE 'done' END",
    },
    "automations.Schedule": {
        **_ORDER, "every_s": "3600", "reason": "CASE WHEN n % 1000 = 0 THEN 'FAILED_TOO_OFTEN' ELSE '' END",
        "status": "CASE WHEN n % 1000 = 0 THEN 'paused' ELSE 'active' END",
        "next_at": "CASE WHEN n % 1000 = 0 THEN NULL ELSE now() + interval '1 h' END",
    },
    "automations.Trigger": _ORDER,
    "django_celery_beat.PeriodicTask": {
        "name": "'task-' || n", "task": "'runs.drain'", "interval_id": "n", "enabled": "n % 5000 <> 0",
    },
    "django_celery_beat.IntervalSchedule": {"every": "n", "period": "'seconds'"},
    "django_celery_beat.CrontabSchedule": {
        name: "'*'" for name in ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")
    } | {"timezone": "'UTC'"},
    "django_celery_beat.SolarSchedule": {"event": "'sunset'", "latitude": "n / 100000.0"},
    "flows.FlowAttempt": {"status": "'completed'", "completed_at": "at", "number": "1", "worker_id": "'one'"},
    "flows.FlowEvent": {
        "event_id": "'event-' || n", "type": "CASE WHEN n % 5000 = 0 THEN 'rare' ELSE 'common' END",
        "payload": "jsonb_build_object('text', repeat('light ', 50))", "received_at": "''",
    },
    "flows.FlowManifest": {
        "name": "'flow-' || n", "steps": "'[]'", "disabled_at": "CASE WHEN n % 5000 = 0 THEN at END",
        "deleted_at": "CASE WHEN n % 5000 = 1 THEN at END",
    },
    "flows.FlowOutput": {"seq": "1", "kind": "'stdout'", "text": "repeat('light ', 30)"},
    "flows.FlowRun": {
        "run_id": "'flow_' || n", "flow_name": "'film'", "step_name": "'cut'", "runner": "'command'",
        "status": "CASE WHEN n % 5000 = 0 THEN 'failed' ELSE 'completed' END", "started_at": "at", "completed_at": "at",
        "result_status": "CASE WHEN n % 5000 = 1 THEN 'blocked' ELSE 'completed' END", "is_told": "true",
        "snapshot": "jsonb_build_object('script', repeat('light ', 50))",
    },
    "flows.FlowSweepLog": _CYCLE,
    "notifications.Delivery": {
        "endpoint_id": "n", "run_id": "n", "event_id": "'evt_' || n", "type": "'run.done'",
        "status": "CASE WHEN n % 1000 = 0 THEN 'waiting' WHEN n % 1000 = 1 THEN 'failed' ELSE 'delivered' END",
        "due_at": "CASE WHEN n % 1000 = 0 THEN now() END", "ended_at": "CASE WHEN n % 1000 = 0 THEN NULL ELSE at END",
    },
    "notifications.Endpoint": {
        "hook_id": "'hook_' || n", "run_id": "n", "events": "'{run.done}'", "is_on": "n % 500 <> 0",
        "off_reason": "CASE WHEN n % 500 = 0 THEN 'gone' ELSE '' END",
    },
    "runs.Asset": {
        "kind": "'mp4'", "content_type": "'video/mp4'", "sha256": _SHA, "size_bytes": "1000", "parents": "'{}'",
        "asset_id": "'asset_' || n",
    },
    "runs.Attempt": {
        "status": f"CASE WHEN {_WAITS} THEN 'accepted' ELSE {_STATUS} END", "idem_key": "'zap:idem:' || n",
        "number": "1", "content_key": "md5(n::text)", "provider": "'fal'", "model": "'fal-ai/veo3'", "urls": "'{}'",
        "provider_request_id": "'job-' || n", "logs": "'[]'", "due_at": _DUE, "finished_at": _ENDED,
    },
    "runs.Budget": {
        "key": "'owner:' || n || CASE WHEN n % 2 = 0 THEN ':2030-01-31' ELSE '' END",
        "owner_id": "CASE WHEN n % 5000 = 0 THEN NULL ELSE n END", "day": "CASE WHEN n % 2 = 0 THEN at::date END",
    },
    "runs.Circuit": {
        "provider": "'fal'", "account": "'acct_' || n", "error": "'KEY_INVALID'",
        "status": "CASE WHEN n % 5000 = 0 THEN 'open' ELSE 'closed' END",
        "retry_at": "CASE WHEN n % 5000 = 0 THEN at END",
    },
    "runs.CronLog": _CYCLE,
    "runs.Feedback": {
        "run_id": "n", "step_id": "n", "asset_id": "n", "scores": "'{}'", "comment": "'Good light.'",
        "kind": "CASE WHEN n % 5 = 0 THEN 'rlhf_vote' ELSE 'judge_score' END",
        "rater": "CASE WHEN n % 5 = 0 THEN 'human' ELSE 'vlm' END",
    },
    "runs.LedgerEntry": {
        **_OF_RUN, "kind": "CASE n % 3 WHEN 0 THEN 'reserved' WHEN 1 THEN 'released' ELSE 'spent' END", "usd": "1",
        "source": "CASE n % 3 WHEN 2 THEN 'quoted' ELSE '' END", "owner_id": "1", "provider": "'fal'", "model": "'m'",
        "zap_slug": "'recipe-' || n % 200",
    },
    "runs.ProviderAccount": {"key": "'acct_' || n", "provider": "'fal'"},
    "runs.Run": {
        "run_id": "'run_' || n", "owner_id": "1", "principal_id": "'user:1'", "zap_slug": "'recipe-' || n % 200",
        "source": "repeat('# A recipe ', 40)", "provider_mode": "'mock'", "status": _STATUS, "stage": _STAGE,
        "wait_reason": _REASON, "finished_at": _ENDED, "due_at": "NULL",
    },
    "runs.RunEvent": {
        "seq": "1", "type": "'run.finished'", "subject": "'run_' || n",
        "actor": "CASE WHEN n % 5000 = 0 THEN 'user:1' ELSE 'worker' END",
    },
    "runs.RunShare": {"share_id": "'share_' || n", "shared_by": "'user:1'", "expires_at": "at + interval '1 day'"},
    "runs.Step": {
        "step_id": "'clip'", "kind": "'video.gen'", "provider": "'fal'", "model": "'fal-ai/veo3'",
        "spec": "jsonb_build_object('prompt', repeat('light ', 50))", "parents": "'[]'", "status": _STATUS,
        "wait_reason": _REASON, "error": _CODE, "finished_at": _ENDED, "idem_key": "'zap:idem:' || n",
        "provider_request_id": "'job-' || n",
    },
    "runs.Webhook": {
        "provider": "'fal'", "event_id": "'evt-' || n", "request_id": "'job-' || n",
        "outcome": "CASE WHEN n % 5000 = 0 THEN 'late' ELSE 'rung' END",
    },
    "zaps.Zap": {
        "slug": "'recipe-' || n", "status": "CASE WHEN n % 5000 = 0 THEN 'draft' ELSE 'published' END", "version": "1",
        "visibility": "CASE WHEN n % 5000 = 1 THEN 'unlisted' ELSE 'public' END", "author_id": "1",
        "source": "repeat('# A recipe ', 40)",
    },
    "zaps.ZapVersion": {"version": "1", "source": "repeat('# A recipe ', 40)", "content_hash": _SHA, "author_id": "1"},
}  # fmt: skip


def fill(rows: int) -> dict[str, float]:
    """Write them, two tables at a time; seconds by table."""
    from django.contrib import admin  # noqa: PLC0415 (after own_servers)
    from django.db import connection  # noqa: PLC0415

    tables: dict[str, Any] = {model._meta.db_table: model._meta.concrete_model for model in admin.site._registry}
    with connection.cursor() as cursor:
        for setting, value in _LOADING.items():
            cursor.execute(f"ALTER SYSTEM SET {setting} = '{value}'")
        cursor.execute("SELECT pg_reload_conf()")
    # The widest first, so that none is left to the end.
    models: list[Any] = sorted(tables.values(), key=lambda model: -len(model._meta.concrete_fields))
    with ThreadPoolExecutor(2) as both:
        took_s = both.map(lambda model: _fill(model, FEW.get(model._meta.label, rows)), models)
        return dict(zip((model._meta.label for model in models), took_s, strict=True))


_LOADING = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "4GB", "checkpoint_timeout": "1h"}


def _fill(model: Any, rows: int) -> float:
    from django.db import connection  # noqa: PLC0415 (after own_servers)

    began = time.perf_counter()
    table = model._meta.db_table
    columns = _columns(model)
    write = f"""
        INSERT INTO {table} ({", ".join(f'"{name}"' for name in columns)}) SELECT {", ".join(columns.values())}
        FROM (SELECT n, now() - ({rows} - n) * interval '1 s' AS at FROM generate_series(1, {rows}) n) AS rows"""
    ready = f"UPDATE pg_index SET indisready = %s WHERE indrelid = '{table}'::regclass"
    with connection.cursor() as cursor:
        # Rows that fit together by the way they are made need no look at each reference; indexes are built at the end.
        cursor.execute("SET session_replication_role = replica; SET maintenance_work_mem = '256MB'")
        cursor.execute(f"DELETE FROM {table}")
        cursor.execute(ready, [False])
        cursor.execute(write)
        cursor.execute(ready, [True])
        cursor.execute(f"REINDEX TABLE {table}")
        cursor.execute(f"VACUUM ANALYZE {table}")
        cursor.execute("RESET session_replication_role")
    return time.perf_counter() - began


def _columns(model: Any) -> dict[str, str]:
    given = ROWS.get(model._meta.label, {})
    return {field.column: given.get(field.column) or _value(field) for field in model._meta.concrete_fields}


def _value(field: Any) -> str:
    """What a column holds of which nothing is said: as little as it may."""
    if field.is_relation:
        return _reference(field)
    if field.null:
        return "NULL"
    if field.primary_key:
        return "n"
    if field.unique and field.get_internal_type() == "CharField":
        return f"'{field.name}_' || n"
    if isinstance(field.default, str | int) and field.default != "":
        return f"'{field.default}'"
    return _LEAST.get(field.get_internal_type(), "0")


def _reference(field: Any) -> str:
    if field.one_to_one:
        return "n + 1"  # each has a user of its own
    return "NULL" if field.null else "1" if field.related_model._meta.label == "auth.User" else "n"


_LEAST = {
    "ArrayField": "'{}'",
    "BinaryField": "''",
    "BooleanField": "false",
    "CharField": "''",
    "DateField": "at::date",
    "DateTimeField": "at",
    "EmailField": "''",
    "JSONField": "'{}'",
    "TextField": "''",
    "UUIDField": "gen_random_uuid()",
}
