"""The moves of single attempts."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from core import moves
from core.money import ZERO
from core.moves import NOW, Computed, later
from runs import policy
from runs.models import Asset, Attempt
from runs.states import AttemptStatus, WaitReason
from runs.transitions.writing import NO_LEASE, Writer, held_by, insert, lease, subject_of

_UNKNOWN = "SUBMISSION_UNKNOWN"


class AttemptMoves(Writer):
    """What happens to attempts."""

    def postponed(self, attempt: Attempt, token: UUID, *, code: str, wait_s: float, reason: WaitReason | None) -> None:
        """The request provably never arrived; the same attempt may be sent again."""
        due_at = later(wait_s)
        self._move_attempt(
            attempt, "postponed", only=held_by(token), reason=code, error=code, due_at=due_at, rung_at=None, **NO_LEASE
        )
        self._say_why(attempt, reason)

    def accepted(self, attempt: Attempt, *, request_id: str, urls: dict[str, str]) -> None:
        """The proof that ends `unknown`. It needs no token: an attempt has one request out at most."""
        self._move_attempt(
            attempt,
            "accepted",
            only=Computed("status = %s", (AttemptStatus.UNKNOWN,)),
            provider_request_id=request_id,
            urls=Jsonb(urls),
            tries=0,
            error="",
            accepted_at=NOW,
            deadline_at=later(policy.DEADLINE_S),
            due_at=NOW,
            **NO_LEASE,
        )
        moves.write(attempt.step, provider_request_id=request_id)

    def unknown(self, attempt: Attempt, token: UUID | None) -> None:
        """Nobody can tell yet whether the request arrived."""
        only = held_by(token) if token else Computed("lease_until < statement_timestamp()")
        self._move_attempt(
            attempt, "unknown", only=only, reason=_UNKNOWN, error=_UNKNOWN, due_at=None, rung_at=None, **NO_LEASE
        )
        attempt.due_at = None

    def sought(self, attempt: Attempt) -> None:
        """Its provider can be asked what became of it: until then its step goes on, and says why."""
        moves.write(attempt, due_at=NOW)
        self._say_why(attempt, WaitReason.SUBMISSION_UNKNOWN)

    def unfound(self, attempt: Attempt, token: UUID) -> None:
        """Its provider could not tell, and is not asked any more."""
        unknown = moves.Move({AttemptStatus.UNKNOWN}, AttemptStatus.UNKNOWN)
        moves.apply(attempt, unknown, only=held_by(token), due_at=None, **NO_LEASE)
        attempt.due_at = None
        self._note("attempt.unfound", subject_of(attempt))

    def rendering(self, attempt: Attempt, token: UUID) -> None:
        """A local step begins on our own machine. Refused while another try is not due yet."""
        self._move_attempt(
            attempt,
            "rendering",
            only=Computed("due_at <= statement_timestamp()"),
            tries=1,
            submitted_at=NOW,
            settling_at=NOW,
            due_at=later(policy.work_lease_s()),
            **lease(token, policy.work_lease_s()),
        )
        attempt.tries = 1
        if attempt.number > 1:  # it may have been waiting for its turn
            self._say_why(attempt, None)

    def held_back(self, attempt: Attempt, reason: WaitReason, *, wait_s: float, account: str = "") -> None:
        """It is not its turn: its model is paused, or its account has no room. Nothing is sent until then."""
        planned = moves.Move({AttemptStatus.PLANNED}, AttemptStatus.PLANNED)
        moves.apply(attempt, planned, due_at=later(wait_s), rung_at=None, account=account)
        self._say_why(attempt, reason)
        self._note("attempt.held_back", subject_of(attempt), reason)

    def done(
        self, attempt: Attempt, token: UUID, *, actual: Decimal, source: str, seed: int | None,
        assets: Sequence[Asset] = (),
    ) -> None:  # fmt: skip
        """Its results are stored, and the money is booked."""
        delivered = {"error": "", "seed": seed, "progress": 1.0, "along": insert(assets)}
        self._end_attempt(attempt, "done", only=held_by(token), actual=actual, source=source, **delivered)

    def put_off(self, attempt: Attempt, reason: WaitReason) -> None:
        """What it needs cannot be had now; it is taken up again when it is due."""
        self._say_why(attempt, reason)

    def paid(self, attempt: Attempt, usd: Decimal, *, source: str) -> None:
        """A part of its cost is known before its end; or after it, where it was taken away meanwhile."""
        if not usd:
            return
        attempt.refresh_from_db(fields=["actual_usd", "reserved_usd"])
        attempt.reserved_usd = self.purse.spend_part(attempt, usd, source)
        attempt.actual_usd, attempt.cost_source = (attempt.actual_usd or ZERO) + usd, source
        moves.write(attempt, reserved_usd=attempt.reserved_usd, actual_usd=attempt.actual_usd, cost_source=source)
        self._charge(attempt, usd)

    def looking(self, attempt: Attempt, token: UUID, usd: Decimal) -> None:
        """A judge is about to be asked, who may cost that."""
        looking = moves.Move({AttemptStatus.SETTLING}, AttemptStatus.SETTLING)
        moves.apply(attempt, looking, only=held_by(token), at_stake_usd=usd)

    def looked(self, attempt: Attempt, usd: Decimal, *, source: str) -> None:
        """The look is over, and its cost is known."""
        self.paid(attempt, usd, source=source)
        moves.write(attempt, at_stake_usd=ZERO)

    def look_lost(self, attempt: Attempt) -> None:
        """Whoever looked is not waited for: the look counts as paid at its quote, whatever becomes of its answer."""
        attempt.refresh_from_db(fields=["at_stake_usd"])
        if attempt.at_stake_usd:
            self.looked(attempt, attempt.at_stake_usd, source="quoted")

    def failed(self, attempt: Attempt, token: UUID | None, *, code: str, actual: Decimal, source: str) -> None:
        """It will not deliver."""
        only = held_by(token) if token else None
        attempt.error = code
        self._end_attempt(attempt, "failed", only=only, reason=code, error=code, actual=actual, source=source)

    def lost(self, attempt: Attempt) -> None:
        """Its submission stays unknown and its recipe says not to wait. What it may have cost stays reserved."""
        attempt.error = _UNKNOWN
        self._close_attempt(attempt, "failed", reason=_UNKNOWN, error=_UNKNOWN)

    def resolved(self, attempt: Attempt, *, actual: Decimal, source: str) -> None:
        """It ended with its fate unknown, and now somebody knows: what was still held is booked or free."""
        self._charge(attempt, actual - (attempt.actual_usd or ZERO))
        self.purse.spend(attempt, actual, source)
        moves.write(attempt, reserved_usd=ZERO, actual_usd=actual, cost_source=source)
        self._note("attempt.resolved", subject_of(attempt), source)

    def canceling(self, attempt: Attempt) -> None:
        """Nobody wants it any more; the provider has to be told, and asked what it cost.

        A submission that is still out keeps its token: its answer names the job that has to be stopped.
        """
        free = {} if attempt.status in {AttemptStatus.SUBMITTING, AttemptStatus.UNKNOWN} else NO_LEASE
        self._move_attempt(attempt, "canceling", tries=0, due_at=NOW, rung_at=None, **free)

    def canceled(self, attempt: Attempt, *, actual: Decimal, source: str, only: Computed | None = None) -> None:
        """It has ended, or had not begun."""
        self._end_attempt(attempt, "canceled", only=only, actual=actual, source=source)

    def abandoned(self, attempt: Attempt) -> None:
        """Canceled, and its fate never became known: what it may have cost stays reserved."""
        self._close_attempt(attempt, "canceled", reason=_UNKNOWN, error=_UNKNOWN)

    def _close_attempt(self, attempt: Attempt, event: str, **changes: Any) -> None:
        self._move_attempt(attempt, event, due_at=None, finished_at=NOW, **NO_LEASE, **changes)

    def _end_attempt(self, attempt: Attempt, event: str, *, actual: Decimal, source: str, **changes: Any) -> None:
        """Close the attempt and move what it held of the cap to what it cost."""
        self._close_attempt(attempt, event, reserved_usd=ZERO, actual_usd=actual, cost_source=source, **changes)
        self._charge(attempt, actual - (attempt.actual_usd or ZERO))
        self.purse.spend(attempt, actual, source)

    def _charge(self, attempt: Attempt, usd: Decimal) -> None:
        if usd:
            moves.write(attempt.step, actual_usd=Computed("coalesce(actual_usd, 0) + %s", (usd,)))

    def _say_why(self, attempt: Attempt, reason: WaitReason | None) -> None:
        moves.write(attempt.step, wait_reason=reason)
