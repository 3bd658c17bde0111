"""The three moves that every paid request makes, one statement each.

They are most of what the engine writes. Lock, check, move, revision and event go over in a single round trip.
"""

from datetime import datetime
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now
from psycopg.sql import SQL, Composable, Composed
from psycopg.types.json import Jsonb

from core.errors import StaleState
from runs import dispatch, policy
from runs.models import Attempt
from runs.states import ATTEMPT_MOVES, AttemptStatus
from runs.transitions.moving import subject_of

_NOTHING = SQL("")
_ON_DISK = SQL(
    "CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) = 'on' "
    "ELSE true END"
)


def submitting(attempt: Attempt, token: UUID) -> None:
    """The intent, committed before the call. Refused while another try is not due yet.

    A server that may call a transaction committed before it is on disk must not do so here: were the intent
    forgotten in a crash, the request would be sent again.
    """
    _move_alone(
        attempt,
        "submitting",
        SQL(
            "tries = a.tries + 1, submitted_at = now(), error = '', lease_token = {token}, "
            "lease_until = now() + {lease} * interval '1 second', due_at = now() + {lease} * interval '1 second'"
        ).format(token=token, lease=policy.submit_lease_s()),
        only=SQL("a.due_at <= now() AND {}").format(_ON_DISK),
    )
    attempt.tries += 1


def accepted(attempt: Attempt, token: UUID, *, request_id: str, urls: dict[str, str]) -> datetime:
    """The provider's id is on record; whoever holds the token goes on to poll. Returns when."""
    at = _move_alone(
        attempt,
        "accepted",
        SQL(
            "provider_request_id = {request_id}, urls = {urls}, tries = 0, accepted_at = now(), due_at = now(), "
            "deadline_at = now() + {deadline} * interval '1 second', "
            "lease_until = now() + {lease} * interval '1 second'"
        ).format(request_id=request_id, urls=Jsonb(urls), deadline=policy.DEADLINE_S, lease=policy.poll_lease_s()),
        only=SQL("a.lease_token = {}").format(token),
        also=SQL(
            ", noted AS (UPDATE steps s SET provider_request_id = {}, wait_reason = NULL "
            "FROM moved WHERE s.id = moved.step_id)"
        ).format(request_id),
    )
    attempt.provider_request_id, attempt.urls = request_id, urls
    return at


def settling(attempt: Attempt, token: UUID) -> None:
    """The provider is finished; the holder of the token fetches what it made."""
    _move_alone(
        attempt,
        "settling",
        SQL(
            "tries = 1, settling_at = now(), polls = a.polls + 1, "
            "lease_until = now() + {lease} * interval '1 second', due_at = now() + {lease} * interval '1 second'"
        ).format(lease=policy.work_lease_s()),
        only=SQL("a.lease_token = {}").format(token),
    )
    attempt.tries = 1


def note_late_acceptance(attempt: Attempt, *, request_id: str, urls: dict[str, str]) -> None:
    """The answer of a submission that was canceled while it was out: now the provider can be told to stop.

    It needs no token: an attempt has one request out at most, so whoever brings a job's id brings this one's.
    """
    late = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.CANCELING, provider_request_id="")
    if late.update(
        provider_request_id=request_id, urls=urls, tries=0, due_at=Now(), lease_until=None, lease_token=None
    ):
        dispatch.settle_soon(attempt)


def _move_alone(
    attempt: Attempt, event: str, changes: Composed, *, only: Composable, also: Composable = _NOTHING
) -> datetime:
    """One attempt, one move. Raises StaleState when it is not, or no longer, allowed."""
    move = ATTEMPT_MOVES[event]
    statement = SQL(
        """
        WITH locked AS (
            UPDATE runs SET revision = revision + 1 WHERE id = {run} RETURNING id, revision
        ), moved AS (
            UPDATE attempts a SET status = {target}, {changes} FROM locked
            WHERE a.id = {attempt} AND a.status = ANY({sources}) AND {only}
            RETURNING a.run_id, a.step_id
        ){also}
        INSERT INTO run_events (run_id, seq, type, subject, actor, reason, happened_at)
        SELECT locked.id, locked.revision, {type}, {subject}, 'worker', '', now() FROM locked, moved
        RETURNING happened_at"""
    ).format(
        run=attempt.run_id,
        attempt=attempt.pk,
        target=move.target,
        sources=list(move.sources),
        changes=changes,
        only=only,
        also=also,
        type=f"attempt.{event}",
        subject=subject_of(attempt),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    if row is None:
        raise StaleState(f"{attempt} cannot become {move.target}.")
    attempt.status = move.target
    at: datetime = row[0]
    return at
