"""What a provider brings along that stands in no file of ours: prices, models, and its place in the emulator."""

import json
import textwrap
from datetime import date
from decimal import Decimal

import pytest

from providers import prices
from providers.contract import Generation
from providers.emulator import Emulator
from providers.prices import Price
from providers.registry import PROVIDERS, judge
from providers.sheet import ModelSheet
from providers.sheeted import SheetedProvider
from tests.plug_ins import install
from tests.processes import get

PRICE = Price(
    provider="acme", model="a-1", unit="second", usd=Decimal("0.2"), source="a page", verified_at=date(2026, 11, 1)
)


class Acme(SheetedProvider):
    """Somebody else's, as far as nobody is called."""

    name = "acme"
    default_base_url = "https://api.acme.example"
    models = (ModelSheet(model="a-1", makes=("video.gen",), default_for=("video.gen",), params=("seed",)),)
    prices = (PRICE,)

    def submit(self, generation, *, key, idem_key, callback_url=None): ...
    def poll(self, job, *, key): ...


@pytest.fixture
def acme(monkeypatch):
    monkeypatch.setitem(PROVIDERS.entries, "acme", Acme())
    prices.load.cache_clear()
    yield
    prices.load.cache_clear()


def test_an_installed_provider_is_quoted_by_the_prices_that_it_brings(acme):
    book = prices.load()

    quote = book.quote("acme", "a-1", duration_s=Decimal(5), today=date(2026, 11, 2))

    assert (quote.usd, quote.price) == (Decimal(1), PRICE)
    assert {"acme", "fal", "gmi"} <= {price.provider for price in book}


def test_its_prices_grow_stale_like_ours(acme):
    with pytest.raises(prices.PriceStale):
        prices.load().quote("acme", "a-1", duration_s=Decimal(5), today=date(2027, 6, 1))


def test_its_models_are_checked_by_the_sheets_that_it_brings():
    acme = Acme()

    assert acme.default_model("video.gen") == "a-1"
    assert acme.default_model("image.gen") is None
    asked = Generation(capability="video.gen", model="a-1", prompt="a kite", params={"seed": 1})
    assert acme.check(asked) == []
    assert [field for field, _ in acme.check(Generation(capability="video.gen", model="a-2", prompt="x"))] == ["model"]


def test_what_it_brings_passes_the_judge():
    judge(Acme())


SHEET = """
    from providers.emulator.wire import reply

    class Sheet:
        def __init__(self, desk):
            self.origin = ""
            self.desk = desk

        def aim(self, request):
            return "status", ""

        def answer(self, on, request, rule):
            return reply({"played": self.origin})
"""


def play(site, name, text, attribute="Sheet"):
    install(site, name, textwrap.dedent(text), {"providers.emulator": f"{name} = plugged_{name}:{attribute}"})


def test_the_emulator_plays_an_installed_vendor_beside_ours(site):
    play(site, "acme", SHEET)

    with Emulator() as emulator:
        assert get(emulator.urls["acme"]) == (200, json.dumps({"played": emulator.urls["acme"]}, separators=(",", ":")))
        assert {"fal", "judge"} <= set(emulator.urls)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("fal", SHEET),
        ("judge", SHEET),
        ("other", "import a_library_of_theirs"),
        ("other", "Sheet = 3"),
        ("other", "class Sheet:\n    def __init__(self, desk):\n        raise ValueError"),
    ],
)
def test_a_vendor_that_cannot_be_played_keeps_nobody_from_the_stage(site, name, text, caplog):
    play(site, name, textwrap.dedent(text))
    play(site, "acme", SHEET)

    with Emulator() as emulator:
        assert "acme" in emulator.urls
        assert "other" not in emulator.urls
        assert type(emulator.desks["fal"].sheet).__module__ == "providers.emulator.fal"
    assert f"package='{name} 1.0'" in caplog.text
