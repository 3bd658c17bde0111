"""How much may be spent: by one run, by one owner in all and a day, and by everybody a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from django.conf import settings

from core.errors import OverBudget
from runs.models import Allowance


class OwnerOverBudget(OverBudget):
    """The owner has used up everything that was allowed."""

    code = "OWNER_SPEND_CAP"
    title = "The owner's budget is used up."
    remediation = "Ask an operator to raise the owner's allowance."


class OwnerDayOverBudget(OverBudget):
    """The owner has used up what was allowed for the day."""

    code = "OWNER_DAILY_SPEND_CAP"
    title = "The owner's budget for the day is used up."
    remediation = "Run again tomorrow (UTC), or ask an operator to raise the owner's allowance."


class DayOverBudget(OverBudget):
    """All owners together have used up the day's budget."""

    code = "DAILY_SPEND_CAP"
    title = "The day's budget is used up."
    remediation = "Run again tomorrow (UTC), or ask an operator to raise the day's cap."


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Upper limits in USD; None: no limit. Days are UTC days."""

    owner_usd: Decimal | None = None
    owner_day_usd: Decimal | None = None
    day_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One sum that a reservation counts towards."""

    key: str
    refused: type[OverBudget]
    owner_id: int | None
    day: date | None
    cap_usd: Decimal | None


def caps_of(owner_id: int | None) -> Caps:
    """The limits that hold for one owner's runs: as an operator allowed, else as the settings say."""
    allowed = Allowance.objects.filter(owner_id=owner_id).first() if owner_id is not None else None
    own, daily = (allowed.cap_usd, allowed.day_cap_usd) if allowed else (None, None)
    return Caps(
        owner_usd=settings.ZAP_OWNER_CAP_USD if own is None else own,
        owner_day_usd=settings.ZAP_OWNER_DAY_CAP_USD if daily is None else daily,
        day_usd=settings.ZAP_DAY_CAP_USD,
    )


def scopes_of(owner_id: int | None, day: date, caps: Caps | None = None) -> Iterator[Scope]:
    """The sums that money of that owner on that day counts towards; without `caps` none has a limit."""
    caps = caps or Caps()
    if owner_id is not None:
        for key, refused, of_day, cap_usd in (
            (f"owner:{owner_id}", OwnerOverBudget, None, caps.owner_usd),
            (f"owner:{owner_id}:{day}", OwnerDayOverBudget, day, caps.owner_day_usd),
        ):
            yield Scope(key=key, refused=refused, owner_id=owner_id, day=of_day, cap_usd=cap_usd)
    yield Scope(key=f"day:{day}", refused=DayOverBudget, owner_id=None, day=day, cap_usd=caps.day_usd)


def refusal(scope: Scope, *, reserved: Decimal, spent: Decimal, **extra: Any) -> OverBudget:
    """The error of a sum that has no room, with the sum broken down."""
    cap = scope.cap_usd or Decimal(0)
    sentence = f"{scope.refused.title} The cap is {cap.normalize():f} USD; {spent.normalize():f} are spent and "
    sentence += f"{reserved.normalize():f} are held for what is at work."
    sums = {"capUsd": float(cap), "spentUsd": float(spent), "reservedUsd": float(reserved)}
    return scope.refused(sentence, **sums, **({"day": str(scope.day)} if scope.day else {}), **extra)
