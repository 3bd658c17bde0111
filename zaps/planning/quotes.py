"""What one attempt at a step costs at most."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from core.money import ZERO
from providers.prices import PriceStale, PriceUnknown, Quote
from zaps.planned import PlannedStep
from zaps.planning.choice import MOCK
from zaps.planning.problems import ModelUnpriced, PriceOutdated, Problems

#: width and height of the largest picture that a scale can give: of a wide frame, and of a full-HD one made larger
_PIXELS = {"2k": (3360, 1440), "4k": (5040, 2160), "2x": (3840, 2160), "4x": (7680, 4320)}


class Prices(Protocol):
    """What generations cost; `providers.prices.PriceBook` is one."""

    def quote(
        self,
        provider: str,
        model: str,
        *,
        duration_s: Decimal | None = None,
        width: int | None = None,
        height: int | None = None,
        characters: int | None = None,
        today: date,
    ) -> Quote:
        """The cost of one. Raises PriceUnknown, and PriceStale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """Asks the price book for one plan."""

    mode: str
    prices: Prices
    today: date
    problems: Problems

    def quote(self, step: PlannedStep, *, provider: str, model: str, path: str) -> Decimal:
        """USD for `step` made there; ZERO after noting, at `path`, why there is no price."""
        if provider == MOCK:
            return ZERO
        try:
            return self._ask(step, provider, model, self.today)
        except PriceUnknown as exc:
            self.problems.note(ModelUnpriced, path, exc.detail)
        except PriceStale as exc:
            if self.mode == "plan":
                self.problems.warn("PRICE_STALE", path, exc.detail)
                return self._ask(step, provider, model, date.min)  # seen from then, no price is old
            self.problems.note(PriceOutdated, path, exc.detail)
        return ZERO

    def _ask(self, step: PlannedStep, provider: str, model: str, today: date) -> Decimal:
        width, height = _PIXELS.get(str(step.params.get("scale")), (None, None))
        quote = self.prices.quote(
            provider, model, duration_s=step.duration_s, width=width, height=height, characters=len(step.prompt),
            today=today,
        )  # fmt: skip
        return quote.usd
