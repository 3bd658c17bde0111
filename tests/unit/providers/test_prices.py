from datetime import date
from decimal import Decimal

import pytest

from providers import prices
from providers.adapters.fal import Fal
from providers.prices import Price, PriceBook, PriceStale, PriceUnknown

TODAY = date(2026, 11, 21)
KLING = "fal-ai/kling-video/v2.1/pro/image-to-video"


@pytest.fixture(scope="module")
def book():
    return prices.load()


@pytest.mark.parametrize(
    ("model", "asked", "usd"),
    [
        ("fal-ai/flux/dev", {}, "0.025"),
        ("fal-ai/flux/dev", {"width": 1024, "height": 576}, "0.025"),
        ("fal-ai/flux/dev", {"width": 1920, "height": 1080}, "0.075"),
        ("fal-ai/flux/dev", {"count": 4}, "0.1"),
        (KLING, {"duration_s": Decimal(5)}, "0.49"),
        (KLING, {"duration_s": Decimal(10), "count": 2}, "1.96"),
        ("fal-ai/veo3.1", {"duration_s": Decimal(8)}, "3.6"),
        ("fal-ai/elevenlabs/music", {"duration_s": Decimal(15)}, "0.2"),
        ("fal-ai/elevenlabs/sound-effects", {"duration_s": Decimal("2.5")}, "0.005"),
        ("fal-ai/elevenlabs/tts/turbo-v2.5", {"characters": 250}, "0.0125"),
    ],
)
def test_a_quote_multiplies_what_is_asked_for(book, model, asked, usd):
    quote = book.quote("fal", model, **asked, today=TODAY)

    assert quote.usd == Decimal(usd)


def test_a_quote_says_where_its_price_comes_from(book):
    quote = book.quote("fal", "fal-ai/flux/dev", today=TODAY)

    assert (quote.unit, quote.verified_at) == ("megapixel", date(2026, 11, 21))
    assert quote.source == "public price list, not verified with the vendor"


@pytest.mark.parametrize("provider", ["mock", "local"])
def test_what_runs_here_is_free(book, provider):
    assert book.quote(provider, "anything", today=TODAY).usd == 0


@pytest.mark.parametrize(("provider", "model"), [("fal", "fal-ai/nobody"), ("nobody", "fal-ai/flux/dev")])
def test_an_unknown_price_is_never_zero(book, provider, model):
    with pytest.raises(PriceUnknown) as caught:
        book.quote(provider, model, today=TODAY)

    assert caught.value.code == "PRICE_UNKNOWN"


@pytest.mark.parametrize("model", [KLING, "fal-ai/elevenlabs/music", "fal-ai/minimax/speech-02-turbo"])
def test_a_price_by_time_or_text_needs_to_know_how_much(book, model):
    with pytest.raises(PriceUnknown):
        book.quote("fal", model, today=TODAY)


def test_a_price_goes_stale(book):
    price = Price(provider="p", model="m", unit="request", usd=Decimal(1), source="s", verified_at=date(2026, 1, 1))
    old = PriceBook([price])

    assert old.quote("p", "m", today=date(2026, 6, 30)).usd == 1
    with pytest.raises(PriceStale) as caught:
        old.quote("p", "m", today=date(2026, 7, 1))

    assert caught.value.code == "PRICE_STALE"
    assert old.unit_price("p", "m") == 1


def test_every_line_of_the_book_has_a_unit_that_is_known(book):
    assert {price.unit for price in book._prices.values()} <= prices.UNITS


def test_every_model_that_we_can_ask_for_has_a_price(book):
    assert [model for model in Fal().sheets if ("fal", model) not in book] == []


@pytest.mark.parametrize(
    ("provider", "model", "made", "usd"),
    [
        ("replicate", "black-forest-labs/flux-dev", {}, "0.025"),
        ("replicate", "kwaivgi/kling-v2.5-turbo-pro", {"duration_s": Decimal(5)}, "0.35"),
        ("replicate", "minimax/speech-02-turbo", {"characters": 500}, "0.03"),
        ("mock", "anything", {}, "0"),
    ],
)
def test_what_was_made_is_worth_its_price_however_old(book, provider, model, made, usd):
    assert book.worth(provider, model, **made) == Decimal(usd)


@pytest.mark.parametrize("model", ["kwaivgi/kling-v2.5-turbo-pro", "minimax/speech-02-turbo", "nobody/nothing"])
def test_what_nobody_knows_the_amount_of_is_worth_nothing_that_can_be_told(book, model):
    with pytest.raises(PriceUnknown):
        book.worth("replicate", model)
