"""Send an attempt's request, once: the intent is committed before the call, its answer after it."""

import logging
import time
from datetime import datetime
from uuid import UUID, uuid4

from django.db import DatabaseError, InterfaceError, OperationalError, connection, transaction

from core.again import again
from core.errors import StaleState, ZapsError
from core.money import ZERO
from providers import http
from providers.contract import Generation, Job
from providers.errors import KeyRefused, NotSent, ProviderError, Rejected, Unavailable
from providers.registry import PROVIDERS
from runs import circuits, dispatch, limits, policy
from runs.engine import ask, reads
from runs.engine.advance import advance
from runs.engine.callbacks import Callback, new_callback
from runs.engine.doors import Door, door_of, submit_lease_s
from runs.engine.given import fetched
from runs.engine.poll import NOTHING, Next, take
from runs.engine.proof import acknowledge
from runs.engine.seek import leave_unknown
from runs.engine.settle import fail
from runs.models import Attempt
from runs.states import WaitReason
from runs.storage import StorageUnavailable
from runs.transitions import admission, alone, inbox, moving
from runs.transitions.alone import Intent

logger = logging.getLogger(__name__)


def submit_attempt(attempt_pk: int) -> Next:
    """Submit, and look once at the job if the provider took it: an instant one is settled here and now.

    Does nothing when the attempt is not planned, or not due: somebody else was first.
    """
    attempt = reads.load_planned(attempt_pk)
    if attempt is None or not _may_be_sent(attempt):
        return NOTHING
    prepared = _prepare(attempt)
    if prepared is None:
        return NOTHING
    generation, door = prepared
    token, callback = uuid4(), new_callback(door.provider)
    pays_until = time.monotonic() + submit_lease_s(door.provider)
    if not _admitted(attempt, token, door, callback):
        circuits.give_back(attempt.provider, attempt.model, account=door.account, attempt=attempt.pk)
        return NOTHING
    job = _send(attempt, token, generation, door, callback, pays_until)
    accepted_at = _write_down(attempt, token, job) if job else None
    if job is None or accepted_at is None:
        return NOTHING
    return take(attempt, token, accepted_at, job.snapshot, door)


def submission_unknown(attempt: Attempt, token: UUID | None) -> None:
    """Its fate cannot be told. Its provider is asked, where it can be; else the recipe says what comes of it."""
    if _is_unknown(attempt, token):
        circuits.note_failure(attempt.provider, attempt.model, "SUBMISSION_UNKNOWN")


@again
def _is_unknown(attempt: Attempt, token: UUID | None) -> bool:
    """Not where its webhook was quicker than its answer."""
    with moving(attempt.run_id) as moves:
        moves.unknown(attempt, token)
        request_id = inbox.early_request_id(attempt)
        if request_id:
            acknowledge(moves, attempt, request_id=request_id, urls={})
            return False
        if attempt.provider in PROVIDERS and PROVIDERS.get(attempt.provider).supports_recover:
            moves.sought(attempt)
            dispatch.settle_soon(attempt)
        else:
            leave_unknown(moves, attempt)
    return True


def submission_unknown_of(attempt_pk: int) -> None:
    """The worker that sent it died before it could say what came of it."""
    submission_unknown(reads.load(attempt_pk), None)


def _prepare(attempt: Attempt) -> tuple[Generation, Door] | None:
    """What to ask for, and the way there; None where there is none, and the attempt has failed without any cost."""
    try:
        prepared = ask.generation_of(attempt), door_of(attempt, "submit")
    except StorageUnavailable:
        _hold_back(attempt, WaitReason.BACKOFF, wait_s=policy.STORAGE_AGAIN_S)
    except ZapsError as exc:
        fail(attempt, None, ask.code_of(exc), ask.FREE)
    except DatabaseError:  # it comes back, and the drain with it
        raise
    except Exception:  # nothing was sent, and the same row would break again
        logger.exception("attempt=%s prepare=broken", attempt.pk)
        fail(attempt, None, "SUBMISSION_PRECONDITION_FAILED", ask.FREE)
    else:
        return prepared
    return None


def _admitted(attempt: Attempt, token: UUID, door: Door, callback: Callback | None) -> bool:
    """Commit the intent, if the account has room for it; else the attempt is held back, and its step says why."""
    paused_s = circuits.admit(attempt.provider, account=door.account, attempt=attempt.pk)
    if paused_s is not None:
        _hold_back(attempt, WaitReason.PROVIDER_PAUSED, wait_s=paused_s, account=door.account)
        return False
    wait_s = limits.wait_s(door.account, door.provider.name)
    if wait_s:
        _hold_back(attempt, WaitReason.RATE_LIMIT, wait_s=wait_s, account=door.account)
        return False
    intent = Intent(
        account=door.account,
        key_source=door.source,
        webhook_digest=callback.digest if callback else "",
        lease_s=submit_lease_s(door.provider),
    )
    allowed = limits.limits_of(door.account, door.provider.name)
    if not allowed.count_jobs:
        alone.submitting(attempt, token, intent)
        return True
    with transaction.atomic():
        reason = admission.refuse(attempt, door.account, allowed)
        if reason is None:
            alone.submitting(attempt, token, intent)
    if reason is not None:
        wait_s = policy.BUDGET_AGAIN_S if reason == WaitReason.BUDGET else policy.ROOM_AGAIN_S
        _hold_back(attempt, reason, wait_s=wait_s, account=door.account)
    return reason is None


@again
def _hold_back(attempt: Attempt, reason: WaitReason, *, wait_s: float, account: str = "") -> None:
    """The first time it is an event of the run; while it lasts, only the time to try again moves."""
    if attempt.step.wait_reason == reason:
        alone.put_off(attempt, wait_s=wait_s, account=account)
        return
    with moving(attempt.run_id) as moves:
        moves.held_back(attempt, reason, wait_s=wait_s, account=account)


def _may_be_sent(attempt: Attempt) -> bool:
    """Not once a vendor's bill has used up what the run may cost, nor while its model is paused."""
    if _is_overdrawn(attempt):
        with moving(attempt.run_id) as moves:
            if moves.purse.is_overdrawn:
                moves.failed(attempt, None, code="BUDGET_EXCEEDED", actual=ZERO, source="none")
                advance(moves, attempt)
                return False
    wait_s = circuits.admit(attempt.provider, attempt.model, attempt=attempt.pk)
    if wait_s is None:
        return True
    _hold_back(attempt, WaitReason.PROVIDER_PAUSED, wait_s=wait_s)
    return False


def _is_overdrawn(attempt: Attempt) -> bool:
    run = attempt.run
    return bool(attempt.reserved_usd) and run.cost_usd + run.reserved_usd > run.cap_usd


def _send(
    attempt: Attempt, token: UUID, generation: Generation, door: Door, callback: Callback | None, pays_until: float
) -> Job | None:
    along = {"callback_url": callback.url} if callback else {}
    try:
        with fetched(generation, door.provider) as whole:
            talk = door.provider.submit(whole, key=door.key, idem_key=attempt.idem_key, **along)
            return http.hold(talk, pays_until=pays_until)
    except (NotSent, Unavailable) as exc:
        _postpone(attempt, token, exc)
    except StorageUnavailable as exc:  # what goes along is read before anything is bought
        _postpone(attempt, token, NotSent(reason=exc.code))
    except (Rejected, KeyRefused) as exc:
        fail(attempt, token, exc.reason, ask.FREE)
    except ProviderError:
        submission_unknown(attempt, token)
    except Exception:  # whatever broke, the request may have been sent
        logger.exception("attempt=%s submit=broken", attempt.pk)
        submission_unknown(attempt, token)
    return None


def _postpone(attempt: Attempt, token: UUID, exc: ProviderError) -> None:
    limited = exc.reason == "RATE_LIMITED"
    if attempt.tries >= (policy.LIMITED_TRIES if limited else policy.SUBMIT_TRIES):
        fail(attempt, token, exc.reason, ask.FREE)
        return
    reason = WaitReason.RATE_LIMIT if limited else WaitReason.BACKOFF
    if limited:
        limits.note_slowdown(attempt.account, attempt.provider, exc.retry_after_s)
        circuits.give_back(attempt.provider, attempt.model, account=attempt.account, attempt=attempt.pk)
    _put_back(attempt, token, exc, reason)


@again
def _put_back(attempt: Attempt, token: UUID, exc: ProviderError, reason: WaitReason) -> None:
    wait_s = policy.backoff_s(attempt.tries, exc.retry_after_s)
    with moving(attempt.run_id) as moves:
        moves.postponed(attempt, token, code=exc.reason, wait_s=wait_s, reason=reason)


def _write_down(attempt: Attempt, token: UUID, job: Job) -> datetime | None:
    """Record the job's id, which nobody else knows: again and again while the database is away.

    None when the attempt was moved on meanwhile.
    """
    ends = time.monotonic() + policy.ANSWER_KEPT_S
    while True:
        try:
            return _accept(attempt, token, job)
        except (OperationalError, InterfaceError) as exc:
            logger.warning("attempt=%s submission=unwritten error=%s", attempt.pk, type(exc).__name__)
            if time.monotonic() > ends:
                raise
            connection.close()
            time.sleep(1.0)


def _accept(attempt: Attempt, token: UUID, job: Job) -> datetime | None:
    try:
        return alone.accepted(attempt, token, request_id=job.request_id, urls=dict(job.urls))
    except StaleState:
        _answer_late(attempt, job)
        return None


@again
def _answer_late(attempt: Attempt, job: Job) -> None:
    """While the request was out its lease ran out, or the step was canceled. The job's id must not be lost."""
    try:
        with moving(attempt.run_id) as moves:
            acknowledge(moves, attempt, request_id=job.request_id, urls=dict(job.urls))
    except StaleState:
        alone.note_late_acceptance(attempt, request_id=job.request_id, urls=dict(job.urls))
