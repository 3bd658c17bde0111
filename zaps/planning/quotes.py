"""What one attempt at a step costs at most."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Protocol

from core.money import ZERO
from providers.contract import Generation
from providers.prices import PriceStale, PriceUnknown, Quote
from zaps.planned import PlannedStep
from zaps.planning.choice import MOCK, Providers
from zaps.planning.problems import ModelUnpriced, PriceOutdated, Problems

#: width and height of the largest picture that a scale can give: of a wide frame, and of a full-HD one made larger
_PIXELS = {"2k": (3360, 1440), "4k": (5040, 2160), "2x": (3840, 2160), "4x": (7680, 4320)}

NOTHING = Quote(usd=ZERO, price=None)


class Prices(Protocol):
    """What generations cost; `providers.prices.PriceBook` is one."""

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
        """The cost of one. Raises PriceUnknown, and PriceStale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotes:
    """Asks the price book for one plan."""

    mode: str
    prices: Prices
    providers: Providers
    today: date
    problems: Problems

    def quote(self, step: PlannedStep, generation: Generation, *, path: str) -> Quote:
        """What `step` costs: as its provider says, else by its price; NOTHING after noting, at `path`, why not."""
        adapter = self.providers.get(step.provider)
        own = adapter.quote(generation)
        if own is not None or step.provider == MOCK:
            return NOTHING if own is None else Quote(usd=own, price=None)
        variant = adapter.variant(generation.model, generation.params)
        try:
            return self._ask(step, variant, self.today)
        except PriceUnknown as exc:
            self.problems.note(ModelUnpriced, path, exc.detail)
        except PriceStale as exc:
            if self.mode == "plan":
                self.problems.warn("PRICE_STALE", path, exc.detail)
                return self._ask(step, variant, date.min)  # seen from then, no price is old
            self.problems.note(PriceOutdated, path, exc.detail)
        return NOTHING

    def _ask(self, step: PlannedStep, variant: str, today: date) -> Quote:
        width, height = _PIXELS.get(str(step.params.get("scale")), (None, None))
        return self.prices.quote(
            step.provider, step.model or "", variant=variant, duration_s=step.duration_s, width=width, height=height,
            characters=len(step.prompt), today=today,
        )  # fmt: skip
