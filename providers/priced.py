"""What an adapter says of prices. Most of it is in the price book; this is what only the adapter knows."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:  # the price book asks the adapters, which are made from what stands here
    from providers.contract import Generation, Talk
    from providers.prices import Price, Told


class Priced:
    """A part of every Provider; see providers.contract."""

    #: what its models cost, where that is not written in `price_book/`
    prices: "ClassVar[Sequence[Price]]" = ()
    #: does it have a list of prices that can be asked for?
    tells_prices: ClassVar[bool] = False

    def variant(self, model: str, params: Mapping[str, Any]) -> str:
        """Which of the model's prices counts where it is asked for `params`; "" where it has one for everything."""
        return ""

    def variants(self, model: str) -> tuple[str, ...]:
        """Every variant that the model can be asked for, and so needs a price for."""
        return ("",)

    def quote(self, generation: "Generation") -> Decimal | None:
        """USD that it costs at most, on a machine whose price only the operator knows. None: ask the price book."""
        return None

    def ask_prices(self, *, key: str) -> "Talk[tuple[Told, ...]]":
        """What the vendor's list says of the models that we know; what it does not speak of is left out.

        Raises KeyRefused, and Unavailable.
        """
        return ()
        yield  # a generator that makes no call
