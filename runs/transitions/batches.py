"""The drain's statements: many attempts at once, each still a conditional UPDATE.

Rows are locked in id order, runs before attempts, as everywhere else. Every time is the database's.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction

from core.again import again
from runs import dispatch, policy
from runs.transitions.bells import Bell


@dataclass(frozen=True, slots=True)
class Leased:
    """An attempt to poll, and the proof to show when writing back."""

    attempt_id: int
    run_id: int
    step_id: int
    token: UUID
    provider: str
    model: str
    capability: str
    request_id: str
    urls: dict[str, str]
    polls: int
    progress: float | None
    queue_position: int | None
    due_at: datetime
    overdue: bool
    awaits_webhook: bool = False
    tenant: int = 0
    account: str = ""
    key_source: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What a poll found of a job that is not finished, and when to look again."""

    leased: Leased
    wait_s: float
    progress: float | None = None
    queue_position: int | None = None
    wait_reason: str | None = None
    asked: bool = True  # else it was not its turn, and nothing new is known

    @property
    def changed(self) -> bool:
        """Is there anything that a person watching would see?"""
        before, seen = self.leased, (self.progress, self.queue_position)
        return self.asked and (seen != (before.progress, before.queue_position) or before.polls == 0)


_COLUMNS = """id, run_id, step_id, lease_token, provider, model, capability, provider_request_id, urls, polls, progress,
    queue_position, due_at, deadline_at < now(), webhook_digest <> '' AND heard_at IS NULL,
    tenant, account, key_source"""

_CLAIM = f"""
    WITH due AS (
        SELECT id AS due_id FROM attempts
        WHERE status = 'accepted' AND due_at <= now() AND (lease_until IS NULL OR lease_until < now())
        ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
    )
    UPDATE attempts SET lease_token = %s, lease_until = now() + %s * interval '1 second' FROM due WHERE id = due_id
    RETURNING {_COLUMNS}"""  # noqa: S608 (only our own column names)

_CLAIM_ONE = f"""
    UPDATE attempts SET lease_token = %s, lease_until = now() + %s * interval '1 second'
    WHERE id = %s AND status = 'accepted' AND due_at <= now() + %s * interval '1 second'
        AND (lease_until IS NULL OR lease_until < now())
    RETURNING {_COLUMNS}"""  # noqa: S608


def claim_polls(limit: int) -> list[Leased]:
    """Lease up to `limit` due jobs that nobody holds, longest due first; [] when there are none."""
    return _claim(_CLAIM, [limit, uuid4(), policy.poll_lease_s()])


def claim_poll(attempt_id: int) -> Leased | None:
    """Lease this one job, a little ahead of its time; None when it is somebody else's now."""
    early_s = policy.HOT_GRACE_S + policy.HOT_COUNTDOWN_S / 10
    rows = _claim(_CLAIM_ONE, [uuid4(), policy.poll_lease_s(), attempt_id, early_s])
    return rows[0] if rows else None


@again
def write_looks(looks: Sequence[Look]) -> None:
    """Give the leases back with the next due time. One that was lost meanwhile is left alone.

    A bell that rang during the poll set `due_at` to a later moment than the claim saw; it is kept.
    """
    ids = [look.leased.attempt_id for look in looks]
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT id FROM attempts WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [ids])
        cursor.execute(
            """
            UPDATE attempts a SET
                due_at = CASE WHEN a.due_at > v.seen THEN a.due_at
                    ELSE clock_timestamp() + v.wait * interval '1 second' END,
                lease_until = NULL, lease_token = NULL, polls = a.polls + v.asked,
                progress = v.progress, queue_position = v.place
            FROM unnest(%s::bigint[], %s::uuid[], %s::timestamptz[], %s::float8[], %s::float8[], %s::int[], %s::int[])
                AS v(id, token, seen, wait, progress, place, asked)
            WHERE a.id = v.id AND a.lease_token = v.token AND a.status = 'accepted'""",
            [
                ids,
                [look.leased.token for look in looks],
                [look.leased.due_at for look in looks],
                [look.wait_s for look in looks],
                [look.progress for look in looks],
                [look.queue_position for look in looks],
                [int(look.asked) for look in looks],
            ],
        )
    changed = [look for look in looks if look.changed]
    if changed:
        _show_progress(changed)


@again
def begin_settling(leased: Sequence[Leased]) -> list[Bell]:
    """Their provider is finished: move them on, with their events; the bells to ring are returned.

    One whose lease was lost, or that was canceled meanwhile, is not among them.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, revision FROM runs WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [[row.run_id for row in leased]]
        )
        revisions: dict[int, int] = dict(cursor.fetchall())
        cursor.execute(
            """
            UPDATE attempts a SET status = 'settling', settling_at = now(), due_at = now(), rung_at = now(), tries = 0,
                polls = a.polls + 1, lease_until = NULL, lease_token = NULL
            FROM unnest(%s::bigint[], %s::uuid[]) AS v(id, token), steps s
            WHERE a.id = v.id AND a.lease_token = v.token AND a.status = 'accepted' AND s.id = a.step_id
            RETURNING a.id, a.provider, a.idem_key, a.run_id, s.step_id || '#' || a.number""",
            [[row.attempt_id for row in leased], [row.token for row in leased]],
        )
        moved = cursor.fetchall()
        events: list[tuple[int, int, str]] = []
        for *_, run_id, subject in moved:
            revisions[run_id] += 1
            events.append((run_id, revisions[run_id], subject))
        cursor.execute(
            """
            UPDATE runs r SET revision = v.revision
            FROM unnest(%s::bigint[], %s::bigint[]) AS v(id, revision) WHERE r.id = v.id
            RETURNING r.id, r.owner_id, r.revision""",
            [list(revisions), list(revisions.values())],
        )
        dispatch.changed_soon(*cursor.fetchall())
        cursor.execute(
            """
            INSERT INTO run_events (run_id, seq, type, subject, actor, reason, happened_at)
            SELECT run_id, seq, 'attempt.settling', subject, 'drain', '', now()
            FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS v(run_id, seq, subject)""",
            [[e[0] for e in events], [e[1] for e in events], [e[2] for e in events]],
        )
    return [Bell(attempt_id, "settling", provider, key) for attempt_id, provider, key, *_ in moved]


def seconds_to_next_poll() -> float | None:
    """How long until a job is due; None when none is in flight."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM min(greatest(due_at, coalesce(lease_until, due_at))) - now()) "
            "FROM (SELECT due_at, lease_until FROM attempts WHERE status = 'accepted' ORDER BY due_at LIMIT 1) AS next"
        )
        (seconds,) = cursor.fetchone()
    return None if seconds is None else max(float(seconds), 0.0)


def seconds_to_poll(attempt_id: int) -> float | None:
    """How long until this job is due; None when it is not in flight, or somebody is looking."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM due_at - now()) FROM attempts "
            "WHERE id = %s AND status = 'accepted' AND (lease_until IS NULL OR lease_until < now())",
            [attempt_id],
        )
        row = cursor.fetchone()
    return None if row is None else float(row[0])


def release(leased: Sequence[Leased]) -> None:
    """Give back what was claimed and not looked at; it stays due."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE attempts a SET lease_until = NULL, lease_token = NULL
            FROM unnest(%s::bigint[], %s::uuid[]) AS v(id, token) WHERE a.id = v.id AND a.lease_token = v.token""",
            [[row.attempt_id for row in leased], [row.token for row in leased]],
        )


def _claim(statement: str, parameters: list[Any]) -> list[Leased]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        # Django leaves jsonb of a plain cursor as text.
        return [Leased(*(*row[:8], json.loads(row[8]), *row[9:])) for row in cursor.fetchall()]


def _show_progress(looks: Sequence[Look]) -> None:
    """For people watching: the step's progress, and at most one new revision a second a run."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE steps s SET progress = coalesce(v.progress, s.progress), wait_reason = v.reason
            FROM unnest(%s::bigint[], %s::float8[], %s::text[]) AS v(id, progress, reason)
            JOIN (
                SELECT id FROM steps WHERE id = ANY(%s) AND status = 'running' ORDER BY id FOR UPDATE
            ) AS locked USING (id)
            WHERE s.id = v.id""",
            [
                [look.leased.step_id for look in looks],
                [look.progress for look in looks],
                [look.wait_reason for look in looks],
                [look.leased.step_id for look in looks],
            ],
        )
        cursor.execute(
            """
            UPDATE runs SET revision = revision + 1, shown_at = now() WHERE id IN (
                SELECT id FROM runs WHERE id = ANY(%s) AND (shown_at IS NULL OR shown_at < now() - interval '1 second')
                ORDER BY id FOR UPDATE)
            RETURNING id, owner_id, revision""",
            [[look.leased.run_id for look in looks]],
        )
        dispatch.changed_soon(*cursor.fetchall())
