"""Find the job of a submission whose answer was lost: its provider is asked, and the submission is not repeated.

Only once the request cannot be on its way any more, the provider's word that it has no such job is believed; then the
same attempt is sent again.
"""

import logging
from datetime import timedelta
from uuid import UUID

from django.db.models import DurationField, ExpressionWrapper, F
from django.db.models.functions import Now

from core.again import again
from core.errors import ZapsError
from core.money import ZERO
from providers import http
from providers.contract import Job
from providers.errors import NeverTaken
from providers.registry import PROVIDERS
from runs import leases, limits, policy
from runs.engine import ask
from runs.engine.advance import advance
from runs.engine.doors import arrived_s, door_of
from runs.engine.proof import acknowledge
from runs.models import Attempt
from runs.transitions import Moves, moving

logger = logging.getLogger(__name__)


def seek(attempt: Attempt) -> None:
    """Ask for the job of an attempt in `unknown`, if nobody else does; in the end it is left to a person."""
    token = leases.claim(attempt, seconds=policy.work_lease_s(), tries=0)
    if token is None:
        return
    try:
        job = find(attempt)
    except NeverTaken as exc:
        _send_again(attempt, token, exc.reason)
        return
    if job is not None:
        with moving(attempt.run_id) as moves:
            acknowledge(moves, attempt, request_id=job.request_id, urls=dict(job.urls))
        return
    age_s = _age_s(attempt)
    if age_s < _sure_s(attempt) + policy.SEEK_S:
        leases.release(attempt, token, again_in_s=policy.seek_again_s(age_s), error=attempt.error)
        return
    with moving(attempt.run_id) as moves:
        moves.unfound(attempt, token)
        leave_unknown(moves, attempt)


def find(attempt: Attempt) -> Job | None:
    """The job that its submission made; None where that cannot be told now.

    Raises NeverTaken where it is certain that there is none.
    """
    if attempt.provider not in PROVIDERS or not PROVIDERS.get(attempt.provider).supports_recover:
        return None
    try:
        door = door_of(attempt, "recover")
        if limits.wait_s(door.account, door.provider.name):
            return None
        talk = door.provider.recover(idem_key=attempt.idem_key, key=door.key)
        return http.hold(talk, timeout_s=(policy.CONNECT_S, policy.POLL_TIMEOUT_S))
    except NeverTaken:
        sure_s = _sure_s(attempt)
        if sure_s <= _age_s(attempt) < sure_s + policy.SEEK_S:  # later it may have been forgotten
            raise
    except ZapsError as exc:
        logger.info("attempt=%s recover=failed error=%s", attempt.pk, ask.code_of(exc))
    return None


def leave_unknown(moves: Moves, attempt: Attempt) -> None:
    """Nobody can be asked. The recipe says whether a person is, or the step is given up."""
    if attempt.step.spec["on_unknown"] == "fail":
        moves.lost(attempt)
    advance(moves, attempt)


@again
def _send_again(attempt: Attempt, token: UUID, code: str) -> None:
    """In its turn, by the drain."""
    with moving(attempt.run_id) as moves:
        if attempt.tries >= policy.SUBMIT_TRIES:
            moves.failed(attempt, token, code=code, actual=ZERO, source="none")
            advance(moves, attempt)
            return
        moves.postponed(attempt, token, code=code, wait_s=0, reason=None)


def _sure_s(attempt: Attempt) -> float:
    """From this age on, its request is not on its way any more; at once where the provider was taken out meanwhile."""
    return arrived_s(PROVIDERS.get(attempt.provider)) if attempt.provider in PROVIDERS else 0.0


def _age_s(attempt: Attempt) -> float:
    """Since its submission was begun."""
    age = ExpressionWrapper(Now() - F("submitted_at"), output_field=DurationField())
    since: timedelta = Attempt.objects.values_list(age, flat=True).get(pk=attempt.pk)
    return since.total_seconds()
