"""The vendors' lists of prices, with what our own book has; the fault plan says `prices` or `models` otherwise."""

from typing import Any
from urllib.parse import parse_qs

from providers import prices
from providers.emulator.wire import Answer, Request, reply

_UNITS = {  # ours: fal's
    "megapixel": "megapixels",
    "second": "seconds",
    "minute": "minutes",
    "1k_chars": "1000 characters",
    "request": "images",
}


def fal_prices(request: Request) -> Answer:
    """One price for each endpoint that is asked about, and none for what is sold in several sorts."""
    asked = [name for text in parse_qs(request.query).get("endpoint_id", []) for name in text.split(",")]
    if not 1 <= len(asked) <= 50:
        return reply({"detail": "1 to 50 endpoint ids are needed."}, 422)
    book = {price.model: price for price in prices.load() if price.provider == "fal" and not price.variant}
    found = [
        {"endpoint_id": name, "unit_price": float(book[name].usd), "unit": _UNITS[book[name].unit], "currency": "USD"}
        for name in asked
        if name in book
    ]
    return reply({"prices": found, "next_cursor": None, "has_more": False})


def clips_sold() -> list[dict[str, Any]]:
    """OpenRouter's models for clips, each with its prices by the second."""
    skus: dict[str, dict[str, str]] = {}
    for price in prices.load():
        if price.provider == "openrouter" and price.unit == "second":
            asked = dict(part.split("=") for part in price.variant.split(",")) if price.variant else {}
            sound = {"true": "_with_audio", "false": "_without_audio"}.get(asked.get("generate_audio", ""), "")
            size = f"_{asked['resolution']}" if "resolution" in asked else ""
            skus.setdefault(price.model, {})[f"duration_seconds{sound}{size}"] = str(price.usd)
    return [{"id": model, "name": model, "pricing_skus": rates} for model, rates in skus.items()]
