"""Who is told of work next: bells, shared out so that no tenant's work keeps another's waiting.

Of what waits for a worker each *line* has FAIR_BELLS messages out at most; the rest stays in the database until some of
these are taken up. A line is a tenant's new runs, its renders, or its submissions to one account. So what a worker
finds in front of a new message is bounded, however much one tenant has ordered.
"""

from dataclasses import dataclass

from django.db import connection

from runs import policy
from zaps.planned import LOCAL


@dataclass(frozen=True, slots=True)
class Bell:
    """An attempt that somebody should look at."""

    attempt_id: int
    status: str
    provider: str
    idem_key: str


_PARAMETERS = {
    "grace": policy.BELL_GRACE_S,
    "again": policy.BELL_AGAIN_S,
    "fair": policy.FAIR_BELLS,
}
_LONG_AGO = "now() - %(again)s * interval '1 second'"
_UNHEARD = f"(rung_at IS NULL OR rung_at < {_LONG_AGO})"
_LATE = "due_at < now() - %(grace)s * interval '1 second'"
_HERE = f"(provider = '{LOCAL}')"

_BELLS = f"""
    status IN ('planned', 'submitting', 'settling', 'canceling', 'unknown')
    AND (status = 'planned' AND due_at <= now() OR {_LATE})
    AND (lease_until IS NULL OR lease_until < now()) AND {_UNHEARD}"""
_CLAIM_BELLS = f"""
    WITH due AS (
        SELECT id, tenant, account, {_HERE} AS here, status = 'planned' AS shared,
            row_number() OVER (PARTITION BY tenant, account, {_HERE}, status = 'planned' ORDER BY id) AS place
        FROM attempts WHERE {_BELLS}
    ), told AS (
        SELECT tenant, account, {_HERE} AS here, count(*) AS messages
        FROM attempts WHERE status = 'planned' AND rung_at >= {_LONG_AGO} GROUP BY 1, 2, 3
    ), turn AS (
        SELECT id FROM due LEFT JOIN told USING (tenant, account, here)
        WHERE NOT shared OR place + coalesce(messages, 0) <= %(fair)s ORDER BY place LIMIT %(limit)s
    )
    UPDATE attempts SET rung_at = now() WHERE id IN (
        SELECT id FROM attempts WHERE id IN (SELECT id FROM turn) AND {_BELLS} ORDER BY id FOR UPDATE SKIP LOCKED)
    RETURNING id, status, provider, idem_key"""  # noqa: S608 (only texts of this module)

_DUE_RUNS = f"""
    status NOT IN ('done', 'failed', 'canceled') AND {_UNHEARD}
    AND (status = 'queued' AND due_at <= now() OR {_LATE})"""
_CLAIM_RUNS = f"""
    WITH due AS (
        SELECT id, coalesce(owner_id, 0) AS tenant, status = 'queued' AS shared,
            row_number() OVER (PARTITION BY owner_id, status = 'queued' ORDER BY id) AS place
        FROM runs WHERE {_DUE_RUNS}
    ), told AS (
        SELECT coalesce(owner_id, 0) AS tenant, count(*) AS messages
        FROM runs WHERE status = 'queued' AND rung_at >= {_LONG_AGO} GROUP BY 1
    ), turn AS (
        SELECT id FROM due LEFT JOIN told USING (tenant)
        WHERE NOT shared OR place + coalesce(messages, 0) <= %(fair)s ORDER BY place LIMIT %(limit)s
    )
    UPDATE runs SET rung_at = now() WHERE id IN (
        SELECT id FROM runs WHERE id IN (SELECT id FROM turn) AND {_DUE_RUNS} ORDER BY id FOR UPDATE SKIP LOCKED)
    RETURNING id"""  # noqa: S608

_ROOM_FOR_RUNS = f"""
    SELECT %(fair)s - count(*) FROM (
        SELECT 1 FROM runs WHERE owner_id IS NOT DISTINCT FROM %(owner)s AND status = 'queued'
            AND rung_at >= {_LONG_AGO} LIMIT %(fair)s) AS told"""  # noqa: S608
_ROOM_FOR_ATTEMPTS = f"""
    SELECT %(fair)s - count(*) FROM (
        SELECT 1 FROM attempts WHERE tenant = %(tenant)s AND account = '' AND {_HERE} = %(here)s AND status = 'planned'
            AND rung_at >= {_LONG_AGO} LIMIT %(fair)s) AS told"""  # noqa: S608


def claim_bells(limit: int) -> list[Bell]:
    """Attempts that nobody was told of, whose message was lost or whose worker died; marked as rung.

    Each is named once in a while only. First those of every line that have waited longest.
    """
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_BELLS, {**_PARAMETERS, "limit": limit})
        return [Bell(*row) for row in sorted(cursor.fetchall())]


def claim_due_runs(limit: int) -> list[int]:
    """Open runs that nobody advanced in time, marked as rung."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM_RUNS, {**_PARAMETERS, "limit": limit})
        return sorted(row[0] for row in cursor.fetchall())


def room_for_a_run(owner_id: int | None) -> bool:
    """May a worker be told at once of a new run of theirs? Else the drain does it when it is its turn."""
    return _room(_ROOM_FOR_RUNS, owner=owner_id) > 0


def room_for_attempts(tenant: int, *, here: bool) -> int:
    """Of how many new attempts of theirs workers may be told at once; `here`: of those made on our own machines."""
    return _room(_ROOM_FOR_ATTEMPTS, tenant=tenant, here=here)


def _room(statement: str, **parameters: int | bool | None) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement, {**_PARAMETERS, **parameters})
        row: tuple[int] = cursor.fetchone()
    return row[0]
