"""Bring prices up to date from the vendors that have a list of them to ask for.

What a vendor says is taken only where it can be compared with what we knew, and is not far from it: a list that has
changed its unit, or says ten times as much, is for a person to look at.
"""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.pricing import book
from accounts.pricing.book import Entry
from accounts.vault.access import Use
from accounts.vault.credentials import Source, credential
from core.errors import BadInput, NotFound, Problem
from core.money import usd
from providers import http, prices, registry
from providers.errors import ProviderError
from providers.prices import Key, Price, Told

SOURCE = "vendor's pricing API"
MOST_TIMES = 5  # how much dearer or cheaper a price may have become
REFUSED = {  # why what was told is not taken
    "NOT_TOLD": "The vendor's list does not say.",
    "PRICE_UNREADABLE": "What the vendor's list says is no price.",
    "PRICE_ZERO": "The vendor's list says that it costs nothing.",
    "UNIT_UNKNOWN": "The vendor's list has it in a unit that we do not know.",
    "UNIT_DIFFERS": "The vendor's list has it in another unit.",
    "PRICE_JUMPED": f"It has changed by more than a factor of {MOST_TIMES}.",
    "WITHDRAWN": "The operator has taken this price back.",
}
_TIMEOUT_S = (5.0, 20.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What came of one price. `new` is what is told, taken where `code` is None; None where nothing can be read."""

    model: str
    variant: str
    old: Price | None
    unit: str | None
    new: Decimal | None
    code: str | None

    @property
    def is_changed(self) -> bool:
        """Does another price count from now on?"""
        return self.code is None and (self.old is None or self.old.usd != self.new)


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What came of asking one vendor. `code` says why it could not be asked, or is None."""

    provider: str
    lines: tuple[Line, ...] = ()
    code: str | None = None
    message: str = ""


def tellers() -> list[str]:
    """The providers that can be asked."""
    return sorted(adapter.name for adapter in registry.PROVIDERS if adapter.tells_prices)


def sync(provider: str, *, by: str, today: date, dry_run: bool) -> Synced:
    """Ask the provider, with the operator's key, and write what is taken; nothing where it is a `dry_run`.

    Call it outside of a transaction. Raises NotFound, and BadInput for a provider that has no list.
    """
    if provider not in registry.PROVIDERS:
        raise NotFound("There is no such provider.")
    adapter = registry.provider(provider)
    if not adapter.tells_prices:
        sentence = f"{provider} has no list of prices that can be asked for; `zap prices set` sets one by hand."
        raise BadInput(sentence, problems=[Problem(code="PRICES_NOT_TOLD", message=sentence, path="providers")])
    use = Use(why="prices", used_for=by)
    try:
        key = credential(provider, owner_id=None, use=use, source=Source.OPERATOR).key.reveal()
        told = http.hold(adapter.ask_prices(key=key), timeout_s=_TIMEOUT_S)
    except ProviderError as exc:
        return Synced(provider=provider, code=exc.reason, message=exc.detail)
    lines = _weigh_all(provider, told)
    if not dry_run:
        _write(provider, lines, by=by, today=today)
    return Synced(provider=provider, lines=lines)


def weigh(key: Key, told: Told | None, old: Price | None, *, is_withdrawn: bool = False) -> Line:
    """Whether to take what was told. Pure."""
    unit, amount = _unit(told, old), told.usd if told else None
    code = None
    if told is None:
        code = "NOT_TOLD"
    elif is_withdrawn:
        code = "WITHDRAWN"
    elif not told.units:
        code = "UNIT_UNKNOWN"
    elif amount is None:
        code = "PRICE_UNREADABLE"
    elif usd(amount) == 0:
        code = "PRICE_ZERO"
    elif unit is None:
        code = "UNIT_DIFFERS"
    elif old and not old.usd / MOST_TIMES <= amount <= old.usd * MOST_TIMES:
        code = "PRICE_JUMPED"
    new = None if amount is None else usd(amount)
    return Line(model=key[1], variant=key[2], old=old, unit=unit, new=new, code=code)


def _unit(told: Told | None, old: Price | None) -> str | None:
    """The one of ours that is meant: that of the old price, if it may be; without one, the likeliest."""
    units = told.units if told else ()
    if old is None:
        return units[0] if units else None
    return old.unit if old.unit in units else None


def _weigh_all(provider: str, told: tuple[Told, ...]) -> tuple[Line, ...]:
    """A line for every price that we have, and for every other that was told."""
    changes = book.changes()
    known = {price.key: price for price in prices.load().with_changes(changes) if price.provider == provider}
    said = {(provider, one.model, one.variant): one for one in told}
    return tuple(
        weigh(key, said.get(key), known.get(key), is_withdrawn=key in changes and changes[key] is None)
        for key in sorted({*known, *said})
    )


def _write(provider: str, lines: tuple[Line, ...], *, by: str, today: date) -> None:
    """What is taken; what was verified today already, and has not changed, need not be written again."""
    for line in lines:
        if line.code is None and (line.is_changed or not line.old or line.old.verified_at < today):
            entry = Entry(
                provider=provider,
                model=line.model,
                unit=line.unit or "",
                usd=line.new,
                source=SOURCE,
                verified_at=today,
            )
            book.write(entry, variant=line.variant, by=by)
