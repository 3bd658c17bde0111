"""How much may be spent: by one run, by one owner in all and a day, and by everybody a day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from django.conf import settings

from runs.models import Allowance


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """Upper limits in USD; None: no limit. Days are UTC days."""

    owner_usd: Decimal | None = None
    owner_day_usd: Decimal | None = None
    day_usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One sum that a reservation counts towards. `code` is what a refusal is called."""

    key: str
    code: str
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
    """The sums that money of that owner on that day counts towards, in the order in which they are locked."""
    caps = caps or Caps()
    if owner_id is not None:
        yield Scope(
            key=f"owner:{owner_id}", code="OWNER_SPEND_CAP", owner_id=owner_id, day=None, cap_usd=caps.owner_usd
        )
        yield Scope(
            key=f"owner:{owner_id}:{day}",
            code="OWNER_DAILY_SPEND_CAP",
            owner_id=owner_id,
            day=day,
            cap_usd=caps.owner_day_usd,
        )
    yield Scope(key=f"day:{day}", code="DAILY_SPEND_CAP", owner_id=None, day=day, cap_usd=caps.day_usd)
