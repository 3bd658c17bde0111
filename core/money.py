"""Money is Decimal US dollars with six places, rounded half up, everywhere."""

from decimal import ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
_STEP = Decimal("0.000001")


def usd(amount: Decimal | int | str) -> Decimal:
    """`amount` as dollars with six places. Floats are refused: they have already lost the cent."""
    if isinstance(amount, float):
        raise TypeError("Money is never a float.")
    return Decimal(amount).quantize(_STEP, rounding=ROUND_HALF_UP)
