"""What the engine reads in every step of every run."""

from collections.abc import Collection

from django.db import connection

from core.rows import Columns
from runs.models import Asset, Attempt, Run, Step

_ATTEMPT = Columns(
    Attempt,
    *("run", "step", "status", "number", "round", "role", "idem_key", "provider", "model", "capability"),
    *("provider_request_id", "tenant", "account", "key_source", "urls", "error", "quote_usd", "reserved_usd"),
    *("reserved_on", "actual_usd", "at_stake_usd", "cost_source", "tries", "lease_token"),
)
_RUN = Columns(Run, "run_id", "owner", "principal_id", "provider_mode", "cap_usd", "cost_usd", "reserved_usd")
_ITS_STEP = Columns(Step, "run", "step_id", "spec", "status", "round", "wait_reason")
_STEP, _ASSET, _NAMED = Columns(Step), Columns(Asset), Columns(Step, "step_id")

_LOAD = f"""
    SELECT {_ATTEMPT.of("a")}, {_RUN.of("r")}, {_ITS_STEP.of("s")}
    FROM attempts a JOIN runs r ON r.id = a.run_id JOIN steps s ON s.id = a.step_id WHERE a.id = %s"""  # noqa: S608 (our own column names)
_LOAD_PLANNED = f"{_LOAD} AND a.status = 'planned' AND a.due_at <= statement_timestamp()"
_STEPS = f"SELECT {_STEP.of('s')} FROM steps s WHERE s.run_id = %s ORDER BY s.position"  # noqa: S608
_RESULTS = f"""
    SELECT {_ASSET.of("f")}, {_NAMED.of("s")}
    FROM assets f JOIN steps s ON s.id = f.step_id AND s.chosen_id = f.attempt_id
    WHERE f.run_id = %s AND s.step_id = ANY(%s) AND s.status = 'done' ORDER BY s.position, f.index"""  # noqa: S608


def load(attempt_pk: int) -> Attempt:
    """The attempt with its step and run, as far as the engine reads them. Raises Attempt.DoesNotExist."""
    attempt = _load(_LOAD, attempt_pk)
    if attempt is None:
        raise Attempt.DoesNotExist
    return attempt


def load_planned(attempt_pk: int) -> Attempt | None:
    """The same; None where it is not to be sent: not planned any more, or not due yet."""
    return _load(_LOAD_PLANNED, attempt_pk)


def steps_of(run: Run) -> dict[str, Step]:
    """The run's steps in recipe order, by step id."""
    with connection.cursor() as cursor:
        cursor.execute(_STEPS, [run.pk])
        steps = [_STEP.take(iter(row)) for row in cursor.fetchall()]
    return {step.step_id: step for step in steps}


def results_of(run_pk: int, step_ids: Collection[str]) -> dict[str, list[Asset]]:
    """What counts of those steps that are done: the assets of the chosen attempts, by step id, in recipe order."""
    found: dict[str, list[Asset]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_RESULTS, [run_pk, list(step_ids)])
        for row in cursor.fetchall():
            values = iter(row)
            asset = _ASSET.take(values)
            asset.step = _NAMED.take(values)
            found.setdefault(asset.step.step_id, []).append(asset)
    return found


def _load(statement: str, attempt_pk: int) -> Attempt | None:
    with connection.cursor() as cursor:
        cursor.execute(statement, [attempt_pk])
        row = cursor.fetchone()
    if row is None:
        return None
    values = iter(row)
    attempt = _ATTEMPT.take(values)
    attempt.run, attempt.step = _RUN.take(values), _ITS_STEP.take(values)
    return attempt
