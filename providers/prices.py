"""What a job will cost: a dated price book, read from `price_book/`. Unknown or stale means no quote, never zero."""

import math
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from core.errors import Refused
from core.money import ZERO, usd
from providers.registry import PROVIDERS

FREE = frozenset({"mock", "local"})
UNITS = frozenset({"request", "second", "megapixel", "1k_chars", "minute"})
STALE_AFTER = timedelta(days=180)
_BOOK = Path(__file__).with_name("price_book")


class PriceUnknown(Refused):
    """Nobody has told us what this costs."""

    code = "PRICE_UNKNOWN"
    title = "There is no price for this model."
    status = 422
    remediation = "Choose a model that has a price, add it to the price book, or run with the mock."


class PriceStale(Refused):
    """The price was last verified too long ago to spend money by it."""

    code = "PRICE_STALE"
    title = "The price of this model is out of date."
    status = 422
    remediation = "Verify the price with the provider and renew its date in the price book, or run with the mock."


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """One line of the book. `unit` is one of UNITS; `usd` is for one unit; `source` says where it was read."""

    provider: str
    model: str
    unit: str
    usd: Decimal
    source: str
    verified_at: date

    def __post_init__(self) -> None:
        if self.unit not in UNITS or not self.usd.is_finite() or self.usd < 0:
            raise ValueError(f"The price of {self.model} is none: {self.usd} by the {self.unit}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a generation costs at most, and by which price."""

    usd: Decimal
    unit: str
    source: str
    verified_at: date


class PriceBook:
    """Prices by provider and model."""

    def __init__(self, prices: Iterable[Price], *, stale_after: timedelta = STALE_AFTER) -> None:
        self._prices = {(price.provider, price.model): price for price in prices}
        self._stale_after = stale_after

    def quote(
        self,
        provider: str,
        model: str,
        *,
        duration_s: Decimal | None = None,
        width: int | None = None,
        height: int | None = None,
        count: int = 1,
        characters: int | None = None,
        today: date,
    ) -> Quote:
        """The cost of `count` results. A picture without a size counts as one megapixel, a part of one as a whole.

        Raises PriceUnknown, also where the price is by time or text and the generation does not say how much, and
        PriceStale.
        """
        if provider in FREE:
            return Quote(usd=ZERO, unit="request", source="free", verified_at=today)
        price = self._price(provider, model)
        if today - price.verified_at > self._stale_after:
            raise PriceStale(f"The price of {model} at {provider} was last verified on {price.verified_at}.")
        units = _units(price, duration_s=duration_s, width=width, height=height, characters=characters)
        return Quote(
            usd=usd(price.usd * units * count), unit=price.unit, source=price.source, verified_at=price.verified_at
        )

    def worth(
        self, provider: str, model: str, *, duration_s: Decimal | None = None, characters: int | None = None
    ) -> Decimal:
        """USD for so much, however old the price; for what was made and not billed by name. Raises PriceUnknown."""
        if provider in FREE:
            return ZERO
        price = self._price(provider, model)
        return usd(price.usd * _units(price, duration_s=duration_s, width=None, height=None, characters=characters))

    def unit_price(self, provider: str, model: str) -> Decimal:
        """USD for one unit, however old; for what a vendor says it billed. Raises PriceUnknown."""
        return ZERO if provider in FREE else self._price(provider, model).usd

    def __contains__(self, provider_and_model: object) -> bool:
        return provider_and_model in self._prices

    def _price(self, provider: str, model: str) -> Price:
        try:
            return self._prices[provider, model]
        except KeyError:
            raise PriceUnknown(f"There is no price for {model} at {provider}.") from None


def _units(
    price: Price, *, duration_s: Decimal | None, width: int | None, height: int | None, characters: int | None
) -> Decimal:
    match price.unit:
        case "request":
            return Decimal(1)
        case "megapixel":
            return Decimal(math.ceil((width or 1000) * (height or 1000) / 1_000_000))
        case "1k_chars":
            amount = None if characters is None else Decimal(characters) / 1000
        case "minute":
            amount = None if duration_s is None else duration_s / 60
        case _:
            amount = duration_s
    if amount is None:
        missing = "the length of its text" if price.unit == "1k_chars" else "duration_s"
        raise PriceUnknown(f"{price.model} is charged by the {price.unit}: the step must give {missing}.")
    return amount


@lru_cache(maxsize=1)
def load() -> PriceBook:
    """The book that ships with the program, and the prices that installed adapters bring."""
    tables = (tomllib.loads(page.read_text("utf-8"), parse_float=Decimal) for page in sorted(_BOOK.glob("*.toml")))
    shipped = [Price(**line) for table in tables for line in table["price"]]
    return PriceBook([*shipped, *(price for adapter in PROVIDERS for price in adapter.prices)])
