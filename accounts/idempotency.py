"""One answer a key: a request that was sent twice is carried out once.

    claim     commits a row of its own, so that everybody else sees that the request is at work
    answer    joins the transaction that does the work: the work and its answer are there together, or not at all
    release   the work was refused, nothing was written: the key is free for another try

Whoever dies between claim and answer leaves a claim whose lease ends; the next request with that key takes it over.
"""

import hashlib
import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from django.db import DatabaseError, transaction
from django.db.models.functions import Now

from accounts.models import IdempotencyKey
from core.errors import BadInput, Conflict, Problem, Refused, StaleState

T = TypeVar("T")
LEASE = timedelta(seconds=60)
RETENTION = timedelta(hours=48)
_MAX_LENGTH = 255
GONE = 410


class KeyReused(Refused):
    """The key belongs to another request."""

    code = "IDEMPOTENCY_KEY_REUSED"
    title = "This idempotency key belongs to another request."
    status = 422
    remediation = "Use a new key for a new request; repeat a request with exactly the same body."


class KeyInFlight(Conflict):
    """The first request with this key has not been answered."""

    code = "IDEMPOTENCY_IN_FLIGHT"
    title = "A request with this idempotency key is at work."
    retryable = True
    remediation = "Send the same request again in a second."


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to carry out one request."""

    pk: int
    token: uuid.UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a request was answered. `replayed`: an earlier one was, and nothing was done now."""

    status: int
    body: Any
    run_id: str = ""
    replayed: bool = False


def check_key(key: str) -> str:
    """`key`, if it can be one: 1 to 255 printable ASCII characters. Raises BadInput."""
    if not 1 <= len(key) <= _MAX_LENGTH or not all(" " <= character <= "~" for character in key):
        sentence = "An idempotency key has 1 to 255 printable ASCII characters."
        raise BadInput(
            sentence, problems=[Problem(code="IDEMPOTENCY_KEY_INVALID", message=sentence, path="Idempotency-Key")]
        )
    return key


def hash_request(method: str, path: str, body: Any) -> str:
    """What makes two requests the same; the order of a JSON object's fields does not count."""
    text = json.dumps([method, path, body], sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def once(
    *, principal: str, key: str, request_hash: str, prepare: Callable[[], T], commit: Callable[[T], Answer]
) -> Answer:
    """Carry a request out, unless that was done already: then its first answer.

    `prepare` does what needs no transaction (checks, uploads) and its result goes to `commit`, whose writes and the
    answer are committed together. What either raises frees the key and goes on to the caller. Raises KeyReused,
    KeyInFlight, and StaleState when `prepare` outlived the lease and another request took over.
    """
    held = claim(principal=principal, key=check_key(key), request_hash=request_hash)
    if isinstance(held, Answer):
        return held
    try:
        prepared = prepare()
        with transaction.atomic():
            given = commit(prepared)
            answer(held, given)
    except BaseException:
        with suppress(DatabaseError):  # the lease will free it
            release(held)
        raise
    return given


def claim(*, principal: str, key: str, request_hash: str) -> Claim | Answer:
    """The right to carry the request out, or the answer it already got. Call it outside of a transaction.

    Raises KeyReused when the key was used for another request, KeyInFlight while another holds it.
    """
    token = uuid.uuid4()
    mine = IdempotencyKey(
        principal=principal, key=key, request_hash=request_hash, lease_until=Now() + LEASE, lease_token=token
    )
    IdempotencyKey.objects.bulk_create([mine], ignore_conflicts=True)  # INSERT … ON CONFLICT DO NOTHING
    row = IdempotencyKey.objects.filter(principal=principal, key=key).first()
    if row is None:  # released between the two statements
        raise KeyInFlight
    if row.lease_token == token:
        return Claim(pk=row.pk, token=token)
    if row.request_hash != request_hash:
        raise KeyReused
    if row.response_status is not None:
        return Answer(status=row.response_status, body=row.response_body, run_id=row.run_id, replayed=True)
    dead = IdempotencyKey.objects.filter(
        pk=row.pk, lease_token=row.lease_token, response_status=None, lease_until__lt=Now()
    )
    if dead.update(lease_token=token, lease_until=Now() + LEASE) != 1:
        raise KeyInFlight
    return Claim(pk=row.pk, token=token)


def answer(held: Claim, given: Answer) -> None:
    """Keep the answer. Call it inside the transaction that did the work.

    Raises StaleState when the claim was taken over meanwhile; the work must then roll back.
    """
    rows = IdempotencyKey.objects.filter(pk=held.pk, lease_token=held.token, response_status=None)
    if rows.update(response_status=given.status, response_body=given.body, run_id=given.run_id) != 1:
        raise StaleState("Another request with this idempotency key took over.")


def release(held: Claim) -> None:
    """Free a key whose request was refused with nothing written."""
    IdempotencyKey.objects.filter(pk=held.pk, lease_token=held.token, response_status=None).delete()


def forget_answers(run_id: str) -> None:
    """The run was deleted: whoever asks again is told so, and starts no other."""
    IdempotencyKey.objects.filter(run_id=run_id).update(response_status=GONE, response_body={})


def purge() -> int:
    """Forget keys older than RETENTION, answered or dead; returns how many."""
    return IdempotencyKey.objects.filter(created_at__lt=Now() - RETENTION, lease_until__lt=Now()).delete()[0]
