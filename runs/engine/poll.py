"""Look at one job: the retrying task's half of polling. The drain is the other."""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models.functions import Now

from providers import http
from providers.contract import Job, JobState, Snapshot
from providers.errors import ProviderError
from runs import limits, policy
from runs.engine.doors import Door, door_for_polls
from runs.engine.settle import settle_held
from runs.models import Attempt
from runs.states import AttemptStatus, WaitReason
from runs.transitions import alone, batches
from runs.transitions.batches import Leased, Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Next:
    """What the task should do now: poll after `wait_s`, or settle, or leave the attempt to others."""

    wait_s: float | None = None
    settle: bool = False


NOTHING = Next()


def poll_attempt(attempt_pk: int) -> Next:
    """Look at a young job if nobody else is looking."""
    leased = batches.claim_poll(attempt_pk)
    if leased is None:
        return _not_yet(attempt_pk)
    held_s = limits.wait_s(leased.account, leased.provider)
    if held_s:
        return _look_again(leased, not_now(leased, held_s))
    snapshot, error = ask_provider(leased)
    if is_ready(leased, snapshot):
        return Next(settle=bool(batches.begin_settling([leased])))
    return _look_again(leased, look_at(leased, snapshot, error))


def take(attempt: Attempt, token: UUID, accepted_at: datetime, snapshot: Snapshot | None, door: Door) -> Next:
    """Go on with a job that was just accepted: settle it at once when it is finished, else say when to look again."""
    leased = _leased(attempt, token, accepted_at)
    error: ProviderError | None = None
    if snapshot is None:
        snapshot, error = ask_provider(leased, door)
    if snapshot is None or not snapshot.is_over:
        return _look_again(leased, look_at(leased, snapshot, error))
    alone.settling(attempt, token)
    settle_held(attempt, token, snapshot)
    return NOTHING


def is_ready(leased: Leased, snapshot: Snapshot | None) -> bool:
    """Is there something to settle: a job that has ended, or one past its deadline?"""
    return leased.overdue or (snapshot is not None and snapshot.is_over)


def job_of(leased: Leased) -> Job:
    """The job as its submission described it."""
    return Job(request_id=leased.request_id, model=leased.model, urls=leased.urls)


def ask_provider(leased: Leased, door: Door | None = None) -> tuple[Snapshot | None, ProviderError | None]:
    """The job as it is, or why the provider would not say."""
    try:
        door = door or door_for_polls(leased)
        return http.hold(door.provider.poll(job_of(leased), key=door.key), timeout_s=(5, policy.POLL_TIMEOUT_S)), None
    except ProviderError as exc:
        note_slowdown(leased, exc)
        return None, exc


def note_slowdown(leased: Leased, error: ProviderError) -> None:
    """What a provider asked one poll for holds for its whole account."""
    if error.reason == "RATE_LIMITED":
        limits.note_slowdown(leased.account, leased.provider, error.retry_after_s)


def not_now(leased: Leased, wait_s: float) -> Look:
    """The account may not be asked again yet."""
    return Look(leased, wait_s, leased.progress, leased.queue_position, WaitReason.RATE_LIMIT, asked=False)


def look_at(leased: Leased, snapshot: Snapshot | None, error: ProviderError | None) -> Look:
    """When to look again, and what to show meanwhile. Pure."""
    if snapshot is None:
        retry_after_s = error.retry_after_s if error else None
        limited = error is not None and error.reason == "RATE_LIMITED"
        stalled = WaitReason.RATE_LIMIT if limited else WaitReason.BACKOFF
        wait_s = _next_look_s(leased, leased.polls + 1, retry_after_s)
        return Look(leased, wait_s, leased.progress, leased.queue_position, stalled)
    wait_s = _next_look_s(leased, leased.polls, snapshot.retry_after_s)
    reason = WaitReason.PROVIDER_QUEUE if snapshot.state == JobState.QUEUED else None
    return Look(leased, wait_s, snapshot.progress, snapshot.queue_position, reason)


def _next_look_s(leased: Leased, polls: int, retry_after_s: float | None) -> float:
    return policy.next_look_s(leased.capability, polls, retry_after_s, awaits_webhook=leased.awaits_webhook)


def _look_again(leased: Leased, look: Look) -> Next:
    """While the job is young and few are, its own task comes back; the drain leaves it alone a little longer."""
    if look.wait_s > policy.HOT_COUNTDOWN_S or not _is_hot(leased.attempt_id):
        batches.write_looks([look])
        return NOTHING
    batches.write_looks([replace(look, wait_s=look.wait_s + policy.HOT_GRACE_S)])
    return Next(wait_s=look.wait_s)


def _not_yet(attempt_pk: int) -> Next:
    """Not ours to poll now: soon, if it is only a little early, else somebody else's."""
    ahead_s = batches.seconds_to_poll(attempt_pk)
    if ahead_s is None or not 0 < ahead_s <= policy.HOT_COUNTDOWN_S + policy.HOT_GRACE_S:
        return NOTHING
    return Next(wait_s=max(ahead_s - policy.HOT_GRACE_S, 0.1))


def _is_hot(attempt_pk: int) -> bool:
    young = Attempt.objects.filter(status=AttemptStatus.ACCEPTED, accepted_at__gt=Now() - policy.hot_span())
    ids = list(young.values_list("pk", flat=True)[: policy.HOT_JOBS + 1])
    return len(ids) <= policy.HOT_JOBS and attempt_pk in ids


def _leased(attempt: Attempt, token: UUID, due_at: datetime) -> Leased:
    """The lease that came with the acceptance."""
    return Leased(
        attempt_id=attempt.pk,
        run_id=attempt.run_id,
        step_id=attempt.step_id,
        token=token,
        provider=attempt.provider,
        model=attempt.model,
        capability=attempt.capability,
        request_id=attempt.provider_request_id,
        urls=attempt.urls,
        polls=0,
        progress=None,
        queue_position=None,
        due_at=due_at,
        overdue=False,
        awaits_webhook=bool(attempt.webhook_digest),
        tenant=attempt.tenant,
        account=attempt.account,
        key_source=attempt.key_source,
    )
