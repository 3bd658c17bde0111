"""Close an attempt: store what its provider made, book what it cost, and take the run further."""

import logging
from collections.abc import Sequence
from uuid import UUID

from core.again import again
from core.errors import StaleState, ZapsError
from core.ids import new_id
from core.money import ZERO
from media.errors import MediaError
from providers import http
from providers.contract import CancelState, Cost, JobState, Snapshot
from providers.errors import NeverTaken, ProviderError
from runs import circuits, leases, policy
from runs.engine import ask, reads
from runs.engine.advance import advance
from runs.engine.doors import door_of
from runs.engine.outputs import Stored, keep, seconds
from runs.engine.seek import find, seek
from runs.models import Asset, Attempt
from runs.states import AttemptStatus, WaitReason
from runs.storage import tries_after
from runs.transitions import alone, moving
from runs.transitions.writing import held_by

logger = logging.getLogger(__name__)


def settle_attempt(attempt_pk: int) -> None:
    """Settle it, or wind it down where it was canceled, or look for its lost job, if nobody else is at it."""
    attempt = reads.load(attempt_pk)
    if attempt.status == AttemptStatus.UNKNOWN:
        seek(attempt)
        return
    if attempt.status not in {AttemptStatus.SETTLING, AttemptStatus.CANCELING}:
        return
    token = leases.claim(attempt, seconds=policy.work_lease_s())
    if token is None:
        return
    if attempt.status == AttemptStatus.CANCELING:
        _wind_down(attempt, token)
    elif attempt.tries > tries_after(attempt.error, policy.SETTLE_TRIES):
        fail(attempt, token, attempt.error or "OUTPUT_UNAVAILABLE", _as_if_delivered(attempt))
    else:
        settle_held(attempt, token, None)


def settle_held(attempt: Attempt, token: UUID, snapshot: Snapshot | None) -> None:
    """Settle an attempt whose lease we hold. `snapshot` is the provider's last word, asked for again where None.

    What may pass is tried again later, without another submission; what may not fails the step.
    """
    try:
        snapshot = snapshot or _ask_again(attempt)
        if snapshot.state == JobState.DONE:
            _close(attempt, token, snapshot, _fetch_all(attempt, token, snapshot))
        elif snapshot.is_over:
            code = snapshot.error_code or ("CANCELED" if snapshot.state == JobState.CANCELED else "PROVIDER_FAILED")
            fail(attempt, token, code, ask.cost_of(snapshot, attempt))
        else:
            _give_up(attempt, token)
    except StaleState:
        raise
    except ZapsError as exc:
        _again_or_fail(attempt, token, exc, snapshot)


def close(attempt: Attempt, token: UUID, stored: Sequence[Stored], *, cost: Cost, seed: int | None) -> None:
    """One transaction: the assets, the attempt, the money, and whatever its step and run can do next."""
    _deliver(attempt, token, stored, cost, seed)
    circuits.note_success(attempt.provider, attempt.model, account=attempt.account)


@again
def _deliver(attempt: Attempt, token: UUID, stored: Sequence[Stored], cost: Cost, seed: int | None) -> None:
    parents = [asset.asset_id for asset in ask.materials(attempt.step)]
    with moving(attempt.run_id) as moves:
        assets = [_asset(attempt, one, parents) for one in stored]
        moves.done(attempt, token, actual=cost.usd, source=cost.source, seed=seed, assets=assets)
        advance(moves, attempt)


def fail(attempt: Attempt, token: UUID | None, code: str, cost: Cost) -> None:
    """It will not deliver: what it cost is booked, and its step tries again or fails.

    `token` is None before anything was begun.
    """
    _lose(attempt, token, code, cost)
    circuits.note_failure(attempt.provider, attempt.model, code, account=attempt.account, attempt=attempt.pk)


@again
def _lose(attempt: Attempt, token: UUID | None, code: str, cost: Cost) -> None:
    with moving(attempt.run_id) as moves:
        moves.failed(attempt, token, code=code, actual=cost.usd, source=cost.source)
        advance(moves, attempt)


def _ask_again(attempt: Attempt) -> Snapshot:
    door = door_of(attempt, "settle")
    return http.hold(door.provider.poll(ask.job_of(attempt), key=door.key))


def _fetch_all(attempt: Attempt, token: UUID, snapshot: Snapshot) -> list[Stored]:
    if not snapshot.outputs:
        raise OutputMissing
    door = door_of(attempt, "settle")
    beat = leases.Heartbeat(attempt, token, seconds=policy.work_lease_s())
    return [
        keep(attempt, index, output, provider=door.provider, key=door.key, beat=beat)
        for index, output in enumerate(snapshot.outputs)
    ]


def _close(attempt: Attempt, token: UUID, snapshot: Snapshot, stored: Sequence[Stored]) -> None:
    close(attempt, token, stored, cost=ask.cost_of(snapshot, attempt), seed=snapshot.seed)


def _again_or_fail(attempt: Attempt, token: UUID, exc: ZapsError, snapshot: Snapshot | None) -> None:
    """The provider has finished and will charge: its price is booked even when the result cannot be had."""
    code = ask.code_of(exc)
    if exc.retryable and attempt.tries < tries_after(code, policy.SETTLE_TRIES):
        with moving(attempt.run_id) as moves:
            if leases.is_held(attempt, token):
                leases.release(attempt, token, again_in_s=policy.backoff_s(attempt.tries), error=code)
                moves.put_off(attempt, WaitReason.BACKOFF)
        logger.info("attempt=%s settle=again error=%s", attempt.pk, code)
        return
    fail(attempt, token, code, ask.cost_of(snapshot, attempt) if snapshot else _as_if_delivered(attempt))


def _give_up(attempt: Attempt, token: UUID) -> None:
    """Past its deadline and still not finished: tell the provider to stop, and count it as if it had delivered."""
    _tell_to_stop(attempt)
    fail(attempt, token, "POLL_DEADLINE_EXCEEDED", _as_if_delivered(attempt))


def _wind_down(attempt: Attempt, token: UUID) -> None:
    """A canceled attempt lives on until its provider has ended: billed truthfully, its outputs never used."""
    if leases.is_overdue(attempt):
        _stop_waiting(attempt)
        return
    if not attempt.provider_request_id:
        _look_for_it(attempt, token)
        return
    if attempt.tries <= policy.STOP_TRIES:  # it may not have heard, or whoever should have told it died
        _tell_to_stop(attempt)
    try:
        snapshot = _ask_again(attempt)
    except ProviderError as exc:
        wait_s = policy.backoff_s(attempt.tries, exc.retry_after_s)
        leases.release(attempt, token, again_in_s=wait_s, error=exc.reason)
        return
    if snapshot.is_over:
        cost = ask.cost_of(snapshot, attempt)
        with moving(attempt.run_id) as moves:
            moves.canceled(attempt, actual=cost.usd, source=cost.source)
        return
    wait_s = policy.next_look_s(attempt.capability, attempt.tries)
    leases.release(attempt, token, again_in_s=wait_s, error=attempt.error)


def _look_for_it(attempt: Attempt, token: UUID) -> None:
    """Its submission's own answer may still come too."""
    try:
        job = find(attempt)
    except NeverTaken:
        with moving(attempt.run_id) as moves:
            moves.canceled(attempt, actual=ZERO, source="none", only=held_by(token))
        return
    if job is None:
        leases.release(attempt, token, again_in_s=policy.backoff_s(attempt.tries), error=attempt.error)
    else:
        alone.note_late_acceptance(attempt, request_id=job.request_id, urls=dict(job.urls))


@again
def _stop_waiting(attempt: Attempt) -> None:
    """Its provider never said that it ended. What was accepted counts as delivered; what is unknown stays reserved."""
    cost = _as_if_delivered(attempt)
    with moving(attempt.run_id) as moves:
        if attempt.provider_request_id:
            moves.canceled(attempt, actual=cost.usd, source=cost.source)
        else:
            moves.abandoned(attempt)


def _as_if_delivered(attempt: Attempt) -> Cost:
    """The provider will charge, and did not say how much."""
    return Cost(usd=attempt.quote_usd, source="quoted")


def _tell_to_stop(attempt: Attempt) -> None:
    try:
        door = door_of(attempt, "cancel")
        state = http.hold(door.provider.cancel(ask.job_of(attempt), key=door.key))
    except ProviderError as exc:
        logger.info("attempt=%s cancel=failed error=%s", attempt.pk, exc.reason)
        return
    logger.info("attempt=%s cancel=%s", attempt.pk, CancelState(state))


def _asset(attempt: Attempt, stored: Stored, parents: list[str]) -> Asset:
    return Asset(
        asset_id=new_id("asset"),
        run_id=attempt.run_id,
        step=attempt.step,
        attempt=attempt,
        index=stored.index,
        kind=stored.probe.kind,
        content_type=stored.probe.content_type,
        storage_key=stored.storage_key,
        sha256=stored.sha256,
        size_bytes=stored.size_bytes,
        width=stored.probe.width,
        height=stored.probe.height,
        duration_s=seconds(stored.probe),
        parents=parents,
    )


class OutputMissing(MediaError):
    """The provider says that it is done, and names no result."""

    code = "OUTPUT_MISSING"
    title = "The provider finished without a result."
