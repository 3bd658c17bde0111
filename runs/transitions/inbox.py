"""What webhooks set off. One believed once is never believed again."""

from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from runs import policy
from runs.models import Attempt, ProviderAccount, Webhook

MOST = 100  # webhooks that are kept of one attempt; more say nothing new

_NOTE = f"""
    INSERT INTO webhooks (attempt_id, provider, event_id, request_id, outcome)
    SELECT named.id, %s::text, %s::text, %s::text, %s::text FROM named
    WHERE (SELECT count(*) FROM webhooks w WHERE w.attempt_id = named.id) < {MOST}
    ON CONFLICT DO NOTHING RETURNING attempt_id"""  # noqa: S608 (only texts of this module)
_RING = f"""
    WITH named AS (
        SELECT id, account FROM attempts
        WHERE id = %s AND status = 'accepted' AND provider_request_id = %s AND NOT EXISTS (
            SELECT 1 FROM provider_accounts p WHERE p.key = attempts.account AND p.webhook_sender NOT IN ('', %s)
        ) FOR UPDATE
    ), noted AS ({_NOTE}), known AS (
        UPDATE provider_accounts p SET webhook_sender = %s FROM named
        WHERE p.key = named.account AND p.webhook_sender = '' AND %s <> ''
    )
    UPDATE attempts a SET heard_at = coalesce(a.heard_at, now()), due_at = now()
    FROM noted WHERE a.id = noted.attempt_id"""  # noqa: S608
_REMEMBER = f"""
    WITH named AS (SELECT %s::bigint AS id), noted AS ({_NOTE})
    UPDATE attempts a SET heard_at = coalesce(a.heard_at, now()) FROM noted WHERE a.id = noted.attempt_id"""  # noqa: S608


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A webhook that was believed. `event_id` is the same for each copy, `sender` says for whom it is signed."""

    attempt_id: int
    provider: str
    event_id: str
    request_id: str
    sender: str = ""


def ring(note: Note) -> bool:
    """The job may have ended: it is due now; whoever holds its lease keeps it. One statement.

    The first about a job of ours tells who is meant when webhooks for its account are signed. False, and nothing is
    written, where the job is not at its provider under that id, the webhook is not new, or it is for another account.
    """
    with connection.cursor() as cursor:
        named: list[Any] = [note.attempt_id, note.request_id, note.sender]
        cursor.execute(_RING, [*named, *_values(note, "rung"), note.sender, note.sender])
        return bool(cursor.rowcount == 1)


def remember(note: Note, outcome: str) -> bool:
    """Put it down. False where it is not new. For inside a transaction that has locked the run."""
    with connection.cursor() as cursor:
        cursor.execute(_REMEMBER, [note.attempt_id, *_values(note, outcome)])
        return bool(cursor.rowcount == 1)


def make_due(attempt: Attempt) -> None:
    """Somebody should look at once. Whoever holds its lease keeps it."""
    Attempt.objects.filter(pk=attempt.pk).update(due_at=Now())


def is_for(account: str, note: Note) -> bool:
    """May it be for that account, as far as is known who is meant by it?"""
    known = ProviderAccount.objects.filter(key=account).exclude(webhook_sender="")
    return known.values_list("webhook_sender", flat=True).first() in (None, note.sender)


def early_request_id(attempt: Attempt) -> str:
    """The job's id by a webhook that came before its submission was answered; "" where none did."""
    early = Webhook.objects.filter(attempt=attempt, outcome="early").order_by("-pk")
    return early.values_list("request_id", flat=True).first() or ""


def prune() -> int:
    """Forget those that nobody repeats any more. Returns how many."""
    return Webhook.objects.filter(received_at__lt=Now() - policy.WEBHOOKS_KEPT).delete()[0]


def _values(note: Note, outcome: str) -> list[str]:
    return [note.provider, note.event_id, note.request_id, outcome]
