"""What a job will cost: a dated price book, read from `price_book/`. Unknown or stale means no quote, never zero."""

import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from core.errors import Refused
from core.money import ZERO, usd
from providers.registry import PROVIDERS

FREE = frozenset({"mock", "local"})
UNITS = frozenset({"request", "second", "megapixel", "1k_chars", "minute"})
STALE_AFTER = timedelta(days=180)
_BOOK = Path(__file__).with_name("price_book")

Key: TypeAlias = tuple[str, str, str]  # provider, model, variant


class PriceUnknown(Refused):
    """Nobody has told us what this costs."""

    code = "PRICE_UNKNOWN"
    title = "There is no price for this model."
    status = 422
    remediation = "Choose a model that has a price, set one with `zap prices set`, or run with the mock."


class PriceStale(Refused):
    """The price was last verified too long ago to spend money by it."""

    code = "PRICE_STALE"
    title = "The price of this model is out of date."
    status = 422
    remediation = "Renew it by `zap prices sync`, or verify it and use `zap prices set`, or run with the mock."


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit of a model costs. `unit` is one of UNITS; `source` says where it was read.

    `variant` is what the model is asked for where that changes the price, as `variant_of` spells it.
    """

    provider: str
    model: str
    variant: str = ""
    unit: str
    usd: Decimal
    source: str
    verified_at: date

    def __post_init__(self) -> None:
        if self.unit not in UNITS or not self.usd.is_finite() or self.usd < 0:
            raise ValueError(f"The price of {self.model} is none: {self.usd} by the {self.unit}.")

    @property
    def key(self) -> Key:
        """What there is one price for."""
        return (self.provider, self.model, self.variant)

    def cost(
        self,
        *,
        duration_s: Decimal | None = None,
        width: int | None = None,
        height: int | None = None,
        characters: int | None = None,
    ) -> Decimal:
        """USD for so much. A picture without a size counts as one megapixel, a part of one as a whole.

        Raises PriceUnknown where the price is by time or text and it is not said how much.
        """
        match self.unit:
            case "request":
                amount: Decimal | None = Decimal(1)
            case "megapixel":
                amount = Decimal(math.ceil((width or 1000) * (height or 1000) / 1_000_000))
            case "1k_chars":
                amount = None if characters is None else Decimal(characters) / 1000
            case "minute":
                amount = None if duration_s is None else duration_s / 60
            case _:
                amount = duration_s
        if amount is None:
            missing = "the length of its text" if self.unit == "1k_chars" else "duration_s"
            raise PriceUnknown(f"{self.model} is charged by the {self.unit}: the step must give {missing}.")
        return usd(self.usd * amount)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a vendor's list of prices says of a model.

    `units` are those of ours that its word for the unit may mean, () where it is none of them; `usd` is None where what
    it says is no price.
    """

    model: str
    variant: str = ""
    units: tuple[str, ...] = ()
    usd: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a generation costs at most, and by which price; None: it is free."""

    usd: Decimal
    price: Price | None


class PriceBook:
    """Prices by provider, model and variant."""

    def __init__(self, prices: Iterable[Price], *, stale_after: timedelta = STALE_AFTER) -> None:
        self._prices = {price.key: price for price in prices}
        self._stale_after = stale_after

    def __iter__(self) -> Iterator[Price]:
        return iter(self._prices.values())

    def get(self, key: Key) -> Price | None:
        """The price, however old; None where there is none."""
        return self._prices.get(key)

    def is_stale(self, price: Price, *, today: date) -> bool:
        """Was it verified too long ago to spend money by it?"""
        return today - price.verified_at > self._stale_after

    def with_changes(self, changes: Mapping[Key, Price | None]) -> "PriceBook":
        """The book with these in place of its own; None: there is no price any more."""
        changed = {**self._prices, **changes}
        return PriceBook((price for price in changed.values() if price), stale_after=self._stale_after)

    def quote(
        self,
        provider: str,
        model: str,
        *,
        variant: str = "",
        duration_s: Decimal | None = None,
        width: int | None = None,
        height: int | None = None,
        characters: int | None = None,
        today: date,
    ) -> Quote:
        """The cost of one result; see Price.cost. Raises PriceUnknown and PriceStale."""
        if provider in FREE:
            return Quote(usd=ZERO, price=None)
        price = self._prices.get((provider, model, variant))
        if price is None:
            asked = f" with {variant}" if variant else ""
            raise PriceUnknown(f"There is no price for {model}{asked} at {provider}.")
        if self.is_stale(price, today=today):
            raise PriceStale(f"The price of {model} at {provider} was last verified on {price.verified_at}.")
        cost = price.cost(duration_s=duration_s, width=width, height=height, characters=characters)
        return Quote(usd=cost, price=price)


def variant_of(fields: Mapping[str, Any]) -> str:
    """One spelling for fields that change a price: `generate_audio=true,resolution=1080p`; "" for none."""
    return ",".join(f"{name}={_spelled(fields[name])}" for name in sorted(fields))


def read_variant(text: str) -> str:
    """`text`, such as `resolution=1080p, generate_audio=true`, as `variant_of` spells it. Raises ValueError."""
    parts = [part.partition("=") for part in text.split(",")] if text.strip() else []
    fields = {name.strip(): value.strip() for name, _, value in parts}
    if len(fields) != len(parts) or not all(name and value for name, value in fields.items()):
        raise ValueError("A variant is written field=value, several with commas between them.")
    return variant_of(fields)


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(maxsize=1)
def load() -> PriceBook:
    """The book that ships with the program, and the prices that installed adapters bring."""
    tables = (tomllib.loads(page.read_text("utf-8"), parse_float=Decimal) for page in sorted(_BOOK.glob("*.toml")))
    shipped = [Price(**line) for table in tables for line in table["price"]]
    return PriceBook([*shipped, *(price for adapter in PROVIDERS for price in adapter.prices)])
