"""The prices that count now: those that ship with the program, and in place of them the operator's."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from accounts.models import OperatorPrice
from core.errors import BadInput, NotFound, Problem
from providers import prices
from providers.prices import UNITS, Key, Price, PriceBook, read_variant
from providers.registry import PROVIDERS, Configured

MOST_USD = Decimal(10_000)  # for one unit of anything


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is to be written for a model. `usd` None takes the price back: live runs of it are refused."""

    provider: str
    model: str
    variant: str = ""
    unit: str = ""
    usd: Decimal | None = None
    source: str = ""
    verified_at: date


def current() -> PriceBook:
    """The whole book, by one query."""
    return prices.load().with_changes(changes())


def changes() -> dict[Key, Price | None]:
    """What the operator set, and, as None, what the operator took back."""
    newest = OperatorPrice.objects.order_by("provider", "model", "variant", "-pk").distinct(
        "provider", "model", "variant"
    )
    return {(row.provider, row.model, row.variant): price_of(row) for row in newest}


def price_of(row: OperatorPrice) -> Price | None:
    """The row as a line of the book; None where it takes a price back."""
    if row.usd is None:
        return None
    return Price(
        provider=row.provider,
        model=row.model,
        variant=row.variant,
        unit=row.unit,
        usd=row.usd,
        source=row.source,
        verified_at=row.verified_at,
    )


def put(entry: Entry, *, by: str, today: date) -> OperatorPrice:
    """Set a price, or take it back. From then on plans are made by it; runs that were planned before keep theirs.

    Raises BadInput, and NotFound where there is no price to take back.
    """
    problems = check(entry, today=today)
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    variant = read_variant(entry.variant)
    if entry.usd is None and current().get((entry.provider, entry.model, variant)) is None:
        raise NotFound("There is no such price.")
    return write(entry, variant=variant, by=by)


def write(entry: Entry, *, variant: str, by: str) -> OperatorPrice:
    """Add the row of an entry that was checked."""
    return OperatorPrice.objects.create(
        provider=entry.provider,
        model=entry.model,
        variant=variant,
        unit=entry.unit if entry.usd is not None else "",
        usd=entry.usd,
        source=entry.source.strip(),
        verified_at=entry.verified_at,
        set_by=by,
    )


def check(entry: Entry, *, today: date) -> list[Problem]:
    """What is wrong with it, by field; [] when nothing is."""
    found = {
        "provider": _about_provider(entry.provider),
        "model": "" if 0 < len(entry.model) <= 200 else "This is the name of a model, of at most 200 characters.",
        "variant": _about_variant(entry),
        "source": "" if 0 < len(entry.source.strip()) <= 200 else "Say where it was read, in at most 200 characters.",
        "verifiedAt": "This day has not come yet." if entry.verified_at > today else "",
    }
    if entry.usd is not None:
        found["unit"] = "" if entry.unit in UNITS else f"A unit is one of {', '.join(sorted(UNITS))}."
        found["usd"] = _about_usd(entry.usd)
    return [Problem(code="PRICE_INVALID", message=text, path=path) for path, text in found.items() if text]


def history(key: Key) -> list[OperatorPrice]:
    """Everything that the operator ever set for it, newest first."""
    provider, model, variant = key
    return list(OperatorPrice.objects.filter(provider=provider, model=model, variant=variant).order_by("-pk"))


def _about_provider(name: str) -> str:
    priced = {price.provider for price in prices.load()}
    if name in PROVIDERS or name in priced:
        return "What it makes is free." if name in prices.FREE else ""
    return "There is no such provider."


def _about_variant(entry: Entry) -> str:
    try:
        variant = read_variant(entry.variant)
    except ValueError as exc:
        return str(exc)
    adapters = Configured()
    if entry.provider not in adapters:
        return ""
    known = adapters.get(entry.provider).variants(entry.model)
    if variant in known:
        return ""
    return f"The model has these: {'; '.join(known)}." if known != ("",) else "The model has one price for everything."


def _about_usd(usd: Decimal) -> str:
    if not usd.is_finite() or not 0 < usd <= MOST_USD:
        return "This is a number of dollars above 0, and at most 10,000."
    return "Six places are enough." if usd != round(usd, 6) else ""
