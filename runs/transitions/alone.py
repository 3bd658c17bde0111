"""The three moves that every paid request makes, one statement each.

They are most of what the engine writes. Lock, check, move, revision and event go over in a single round trip.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models.functions import Now
from psycopg.types.json import Jsonb

from core.errors import StaleState
from core.moves import Computed
from runs import dispatch, policy
from runs.models import Attempt
from runs.states import ATTEMPT_MOVES, AttemptStatus
from runs.transitions.writing import subject_of

_NOTHING = Computed("")
_ON_DISK = (
    "CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', true) = 'on' "
    "ELSE true END"
)
_DUE_NOW = (
    "due_at = now(), deadline_at = now() + %s * interval '1 second', lease_until = now() + %s * interval '1 second'"
)
_NOTED = """, noted AS (
            UPDATE steps s SET provider_request_id = %s, wait_reason = NULL FROM moved WHERE s.id = moved.step_id)"""
_UNTIL = "lease_until = now() + %s * interval '1 second', due_at = now() + %s * interval '1 second'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """How a request is about to be sent.

    `account` is the one at the provider that pays, `key_source` says whose key it is. `webhook_digest` is of the token
    that the provider is told to call with, "" where it will not call.
    """

    account: str = ""
    key_source: str = ""
    webhook_digest: str = ""
    lease_s: int = field(default_factory=policy.submit_lease_s)


def submitting(attempt: Attempt, token: UUID, intent: Intent | None = None) -> None:
    """The intent, committed before the call. Refused while another try is not due yet.

    A server that may call a transaction committed before it is on disk must not do so here: were the intent
    forgotten in a crash, the request would be sent again.
    """
    intent = intent or Intent()
    lease_s = intent.lease_s
    changes = (
        "tries = a.tries + 1, submitted_at = now(), error = '', webhook_digest = %s, heard_at = NULL, "
        "account = %s, key_source = %s, "
        f"lease_token = %s, {_UNTIL}"
    )
    _move_alone(
        attempt,
        "submitting",
        Computed(changes, (intent.webhook_digest, intent.account, intent.key_source, token, lease_s, lease_s)),
        only=Computed(f"a.due_at <= now() AND {_ON_DISK}"),
    )
    attempt.tries += 1
    attempt.webhook_digest = intent.webhook_digest
    attempt.account, attempt.key_source = intent.account, intent.key_source


def put_off(attempt: Attempt, *, wait_s: float, account: str) -> None:
    """Still not its turn; why was said before. Whoever counts what an account is busy with sees that it waits."""
    waits = Attempt.objects.filter(pk=attempt.pk, status=AttemptStatus.PLANNED)
    waits.update(due_at=Now() + timedelta(seconds=wait_s), rung_at=None, account=account)


def accepted(attempt: Attempt, token: UUID, *, request_id: str, urls: dict[str, str]) -> datetime:
    """The provider's id is on record; whoever holds the token goes on to poll. Returns when.

    Refused where the answer came so late that its fate counts as unknown: then more than the attempt has to move.
    """
    changes = f"provider_request_id = %s, urls = %s, tries = 0, accepted_at = now(), {_DUE_NOW}"
    at = _move_alone(
        attempt,
        "accepted",
        Computed(changes, (request_id, Jsonb(urls), policy.DEADLINE_S, policy.poll_lease_s())),
        only=Computed("a.status = 'submitting' AND a.lease_token = %s", (token,)),
        also=Computed(_NOTED, (request_id,)),
    )
    attempt.provider_request_id, attempt.urls = request_id, urls
    return at


def settling(attempt: Attempt, token: UUID) -> None:
    """The provider is finished; the holder of the token fetches what it made."""
    lease_s = policy.work_lease_s()
    changes = Computed(f"tries = 1, settling_at = now(), polls = a.polls + 1, {_UNTIL}", (lease_s, lease_s))
    _move_alone(attempt, "settling", changes, only=_held_by(token))
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


def _held_by(token: UUID) -> Computed:
    return Computed("a.lease_token = %s", (token,))


def _move_alone(
    attempt: Attempt, event: str, changes: Computed, *, only: Computed, also: Computed = _NOTHING
) -> datetime:
    """One attempt, one move. Raises StaleState when it is not, or no longer, allowed."""
    move = ATTEMPT_MOVES[event]
    # The text is the same for every attempt, so that the server plans it once a connection.
    statement = f"""
        WITH locked AS (
            UPDATE runs SET revision = revision + 1 WHERE id = %s RETURNING id, revision
        ), moved AS (
            UPDATE attempts a SET status = %s, {changes.sql} FROM locked
            WHERE a.id = %s AND a.status = ANY(%s) AND {only.sql}
            RETURNING a.step_id
        ){also.sql}
        INSERT INTO run_events (run_id, seq, type, subject, actor, reason, happened_at)
        SELECT locked.id, locked.revision, %s::text, %s::text, 'worker', '', now() FROM locked, moved
        RETURNING happened_at, seq"""  # noqa: S608 (only texts of this module)
    where = (attempt.pk, list(move.sources), *only.values, *also.values)
    values = (attempt.run_id, move.target, *changes.values, *where, f"attempt.{event}", subject_of(attempt))
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        row = cursor.fetchone()
    if row is None:
        raise StaleState(f"{attempt} cannot become {move.target}.")
    attempt.status = move.target
    at: datetime = row[0]
    dispatch.changed_soon((attempt.run_id, attempt.tenant, row[1]))
    return at
