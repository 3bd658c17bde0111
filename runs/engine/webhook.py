"""Take a provider's webhook. It rings a bell and proves that a job exists; how the job stands, only a poll tells."""

import hashlib
import logging
import re
from enum import StrEnum

from accounts.vault.credentials import Source
from core.again import again
from core.errors import NotFound, ZapsError
from providers import http, registry
from providers.contract import Hint, Hook, Talk
from providers.errors import ProviderError, WebhookRefused
from providers.webhooks import forged
from runs import dispatch
from runs.engine import reads
from runs.engine.callbacks import digest_of
from runs.engine.doors import door_of
from runs.engine.proof import acknowledge
from runs.models import Attempt
from runs.states import AttemptStatus
from runs.transitions import Moves, alone, inbox, moving
from runs.transitions.inbox import Note

logger = logging.getLogger(__name__)

_EVENT_ID = re.compile(r"[!-~]{1,200}")
_READ = (
    *("run__run_id", "run__owner", "run__principal_id", "step__step_id", "number", "key_source"),
    *("status", "provider", "provider_request_id", "idem_key"),
)


class Heard(StrEnum):
    """What came of a webhook."""

    RUNG = "rung"  #: the job is looked at now
    EARLY = "early"  #: its submission has not been answered yet; remembered
    PROOF = "proof"  #: it names the job of a submission whose fate was not known
    LATE = "late"  #: the attempt is over, or being settled; nothing to do
    REPEATED = "repeated"  #: it was here before


class WebhookUnreadable(ZapsError):
    """Whether it is the provider's cannot be told now: its keys, or our own, cannot be had."""

    code = "WEBHOOK_UNREADABLE"
    title = "The webhook cannot be checked now."
    status = 503
    retryable = True


def receive(provider: str, token: str, hook: Hook) -> Heard:
    """Believe it, or not; then ring.

    Raises NotFound where no attempt of that provider has that token, or the job is not its own; WebhookRefused; and
    WebhookUnreadable. Nothing is written then.
    """
    attempt = _named_by(provider, token)
    note = _read(attempt, hook)
    if inbox.ring(note):
        dispatch.ring_poll(attempt.pk, attempt.idem_key)
        heard = Heard.RUNG
    else:
        heard = _take_in(attempt, note)
    logger.info("attempt=%s webhook=%s", attempt.pk, heard)
    return heard


def _named_by(provider: str, token: str) -> Attempt:
    """The whole digest is compared by an index; how long that takes says nothing of a token."""
    known = Attempt.objects.select_related("run", "step").only(*_READ)
    attempt = known.filter(webhook_digest=digest_of(token), provider=provider).first()
    if attempt is None:
        raise NotFound
    return attempt


def _read(attempt: Attempt, hook: Hook) -> Note:
    try:
        hint = http.hold(_reading(attempt, hook), timeout_s=(2, 4))
    except WebhookRefused as exc:
        logger.warning("attempt=%s webhook=refused error=%s", attempt.pk, exc.reason)
        raise
    except ProviderError as exc:
        logger.warning("attempt=%s webhook=unreadable error=%s", attempt.pk, exc.reason)
        raise WebhookUnreadable from None
    is_usual = _EVENT_ID.fullmatch(hint.event_id)
    event_id = hint.event_id if is_usual else hashlib.sha256(hook.body).hexdigest()
    return Note(
        attempt_id=attempt.pk,
        provider=attempt.provider,
        event_id=event_id,
        request_id=hint.request_id,
        sender=hint.sender,
    )


def _reading(attempt: Attempt, hook: Hook) -> Talk[Hint]:
    """A secret that was set by hand is that of the operator's account. A key is taken out where it is needed only."""
    provider = registry.provider(attempt.provider)
    secret = registry.webhook_secret(attempt.provider) if attempt.key_source == Source.OPERATOR else ""
    key = door_of(attempt, "webhook").key if provider.webhook_needs_key and not secret else ""
    return provider.read_webhook(hook, key=key, secret=secret)


@again
def _take_in(attempt: Attempt, note: Note) -> Heard:
    """What it means while the run holds still."""
    with moving(attempt.run_id, actor="webhook") as moves:
        attempt = reads.load(attempt.pk)
        if attempt.provider_request_id not in ("", note.request_id):
            logger.warning("attempt=%s webhook=of-another-job", attempt.pk)
            raise NotFound
        if not inbox.is_for(attempt.account, note):
            logger.warning("attempt=%s webhook=of-another-account", attempt.pk)
            raise forged()
        heard = _meaning(attempt)
        if not inbox.remember(note, heard):
            return Heard.REPEATED
        _act(moves, attempt, heard, note.request_id)
    return heard


def _meaning(attempt: Attempt) -> Heard:
    match attempt.status:
        case AttemptStatus.PLANNED | AttemptStatus.SUBMITTING:
            return Heard.EARLY
        case AttemptStatus.UNKNOWN:
            return Heard.PROOF
        case AttemptStatus.CANCELING:
            return Heard.RUNG if attempt.provider_request_id else Heard.PROOF
        case AttemptStatus.ACCEPTED:
            return Heard.RUNG
    return Heard.LATE


def _act(moves: Moves, attempt: Attempt, heard: Heard, request_id: str) -> None:
    if heard == Heard.PROOF and attempt.status == AttemptStatus.CANCELING:
        alone.note_late_acceptance(attempt, request_id=request_id, urls={})
    elif heard == Heard.PROOF:
        acknowledge(moves, attempt, request_id=request_id, urls={})
    elif heard == Heard.RUNG and attempt.status == AttemptStatus.CANCELING:
        inbox.make_due(attempt)
        dispatch.settle_soon(attempt)
    elif heard == Heard.RUNG:
        inbox.make_due(attempt)
        dispatch.poll_soon(attempt)
