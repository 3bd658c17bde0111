"""How vendors' lists of prices are read: their words for our units, and their numbers."""

from collections.abc import Container, Mapping
from decimal import Decimal
from typing import Any

from providers.prices import Told

UNITS = {  # their word, without its plural: what it may mean of ours, and how many of theirs make one
    "image": (("request", "megapixel"), 1),
    "megapixel": (("megapixel",), 1),
    "second": (("second",), 1),
    "minute": (("minute",), 1),
    "1000 character": (("1k_chars",), 1),
    "character": (("1k_chars",), 1000),
    "request": (("request",), 1),
    "video": (("request",), 1),
}
SECONDS = "duration_seconds"


def by_unit(listed: object, *, models: Container[str]) -> list[Told]:
    """Entries that say what one of something costs, as fal writes them; only of `models`."""
    entries = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    told = []
    for entry in entries:
        units, times = UNITS.get(str(entry.get("unit")).lower().removesuffix("s"), ((), 1))
        usd = read_usd(entry.get("unit_price"), times=times) if entry.get("currency") == "USD" else None
        if (model := str(entry.get("endpoint_id"))) in models:
            told.append(Told(model=model, units=units, usd=usd))
    return told


def by_second(model: str, variant: str, skus: object, asked: Mapping[str, Any]) -> Told:
    """An entry that says what a second costs of each sort of clip: of this one, with the fields `asked`.

    A list that charges for anything but seconds tells us nothing.
    """
    usd = None
    if isinstance(skus, dict) and all(str(name).startswith(SECONDS) for name in skus):
        size = str(asked.get("resolution", "")).lower()
        sound = {True: "_with_audio", False: "_without_audio"}.get(asked.get("generate_audio", ""), "")
        names = (f"{SECONDS}{sound}_{size}", f"{SECONDS}{sound}", f"{SECONDS}_{size}", SECONDS)
        usd = next((read_usd(skus[name]) for name in names if name in skus), None)
    return Told(model=model, variant=variant, units=("second",), usd=usd)


def read_usd(amount: object, *, times: int = 1) -> Decimal | None:
    """A number, or its text, as dollars for `times` as much; None where it is none, below zero or beyond belief."""
    try:
        dollars = Decimal("NaN") if isinstance(amount, bool) else Decimal(str(amount)) * times
    except ArithmeticError:
        return None
    return dollars if dollars.is_finite() and 0 <= dollars < 1_000_000 else None
