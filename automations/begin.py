"""One run of a standing order: planned as its owner would, and begun where there is money for it.

Its cap is what its plan may cost at most, not the recipe's, which may be far more: an order's runs have to fit below
one cap together. Runs that are at work count with their caps, runs that have ended with what they cost.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db.models import Case, F, QuerySet, Sum, When
from django.db.models.functions import Greatest

from accounts.caller import Caller
from automations.models import Firing
from automations.models.standing import Standing
from core.errors import OverBudget
from core.money import ZERO
from runs.models import Run
from runs.order import Draft, Mode, Order, draft, place
from runs.states import RUN_FINAL

_NOTHING: Mapping[str, Any] = {}


class NoRoom(OverBudget):
    """The order's runs together may not cost more."""

    code = "ORDER_SPEND_CAP"
    title = "The cap of this schedule, trigger or batch is used up."
    remediation = "Wait for what is at work, or for tomorrow (UTC) where the cap is for a day; or raise the cap."


@dataclass(frozen=True, slots=True)
class Room:
    """What those firings together may cost; `cap_usd` None: no limit."""

    firings: QuerySet[Firing]
    cap_usd: Decimal | None

    @classmethod
    def of_day(cls, firings: QuerySet[Firing], cap_usd: Decimal | None, *, at: datetime) -> "Room":
        """Of the UTC day of that moment, by when they began."""
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(firings.filter(begun_at__gte=midnight), cap_usd)

    def require(self, usd: Decimal) -> None:
        """Raises NoRoom where that much more is too much. Whoever asks holds the order's lock."""
        if self.cap_usd is None or not usd:
            return
        used = spent_or_held(self.firings)
        if used + usd > self.cap_usd:
            sentence = (
                f"They may cost {self.cap_usd.normalize():f} USD together; {used.normalize():f} are spent or held."
            )
            raise NoRoom(sentence, capUsd=float(self.cap_usd), usedUsd=float(used), needUsd=float(usd))


def spent_or_held(firings: QuerySet[Firing]) -> Decimal:
    """What the runs of those firings have cost, and may still cost."""
    booked = F("run__cost_usd") + F("run__reserved_usd")
    counts = Case(
        When(run_cap_usd=ZERO, then=ZERO),
        When(run=None, then=F("run_cap_usd")),
        When(run__status__in=sorted(map(str, RUN_FINAL)), then=booked),
        default=Greatest(F("run__cap_usd"), booked),
    )
    return firings.aggregate(total=Sum(counts))["total"] or ZERO


def plan(
    order: Standing, caller: Caller, *, given: Mapping[str, Any] = _NOTHING, kept: Mapping[str, Any], at: datetime
) -> Draft:
    """What a run of it would be. `given` comes from a caller, `kept` was checked when the order was made.

    Raises as `runs.order.draft`.
    """
    wanted = Order(
        slug=order.slug,
        version=order.version,
        inputs=given,
        kept=kept,
        mode=Mode(order.mode),
        max_usd=order.run_cap_usd,
    )
    drafted = draft(wanted, caller, today=at.date())
    if order.mode != Mode.LIVE:
        return drafted
    return replace(drafted, plan=replace(drafted.plan, cap_usd=drafted.plan.most_usd))


def begin(firing: Firing, drafted: Draft, caller: Caller, *, room: Room, at: datetime) -> Run:
    """Make the run and note it in `firing`, which is not saved. Joins the transaction that holds the order's lock.

    Raises NoRoom, and OverBudget where its owner's or everybody's budget is used up.
    """
    cap_usd = drafted.plan.cap_usd if drafted.plan.mode == Mode.LIVE else ZERO
    room.require(cap_usd)
    run = place(drafted, caller)
    firing.run, firing.run_cap_usd = run, cap_usd
    firing.status, firing.begun_at = "started", at
    return run
