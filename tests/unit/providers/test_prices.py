from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers import prices
from providers.prices import Price, PriceBook, PriceStale, PriceUnknown, read_variant, variant_of

TODAY = date(2026, 11, 21)
KLING = "fal-ai/kling-video/v2.1/pro/image-to-video"
VEO = "fal-ai/veo3.1"
LOUD = "generate_audio=true,resolution=720p"
ONE = Price(provider="p", model="m", unit="request", usd=Decimal(1), source="s", verified_at=date(2026, 1, 1))


@pytest.fixture(scope="module")
def book():
    return prices.load()


@pytest.mark.parametrize(
    ("model", "asked", "usd"),
    [
        ("fal-ai/flux/dev", {}, "0.025"),
        ("fal-ai/flux/dev", {"width": 1024, "height": 576}, "0.025"),
        ("fal-ai/flux/dev", {"width": 1920, "height": 1080}, "0.075"),
        (KLING, {"duration_s": Decimal(5)}, "0.49"),
        (VEO, {"duration_s": Decimal(8), "variant": LOUD}, "3.6"),
        (VEO, {"duration_s": Decimal(8), "variant": "generate_audio=false,resolution=720p"}, "1.6"),
        ("fal-ai/elevenlabs/music", {"duration_s": Decimal(15)}, "0.2"),
        ("fal-ai/elevenlabs/sound-effects", {"duration_s": Decimal("2.5")}, "0.005"),
        ("fal-ai/elevenlabs/tts/turbo-v2.5", {"characters": 250}, "0.0125"),
    ],
)
def test_a_quote_multiplies_what_is_asked_for(book, model, asked, usd):
    quote = book.quote("fal", model, **asked, today=TODAY)

    assert quote.usd == Decimal(usd)


def test_a_quote_says_by_which_price(book):
    price = book.quote("fal", "fal-ai/flux/dev", today=TODAY).price

    assert (price.unit, price.usd, price.verified_at) == ("megapixel", Decimal("0.025"), date(2026, 11, 21))
    assert price.source == "public price list, not verified with the vendor"


@pytest.mark.parametrize("provider", ["mock", "local"])
def test_what_runs_here_is_free(book, provider):
    assert book.quote(provider, "anything", today=TODAY).usd == 0


@pytest.mark.parametrize(
    ("provider", "model", "variant"),
    [
        ("fal", "fal-ai/nobody", ""),
        ("nobody", "fal-ai/flux/dev", ""),
        ("fal", VEO, ""),
        ("fal", VEO, "generate_audio=true,resolution=8k"),
        ("fal", "fal-ai/flux/dev", LOUD),
    ],
)
def test_an_unknown_price_is_never_zero_and_never_another_variant_s(book, provider, model, variant):
    with pytest.raises(PriceUnknown) as caught:
        book.quote(provider, model, variant=variant, duration_s=Decimal(4), today=TODAY)

    assert caught.value.code == "PRICE_UNKNOWN"
    assert variant in caught.value.detail


@pytest.mark.parametrize("model", [KLING, "fal-ai/elevenlabs/music", "fal-ai/minimax/speech-02-turbo"])
def test_a_price_by_time_or_text_needs_to_know_how_much(book, model):
    with pytest.raises(PriceUnknown):
        book.quote("fal", model, today=TODAY)


def test_a_price_goes_stale():
    old = PriceBook([ONE])

    assert old.quote("p", "m", today=date(2026, 6, 30)).usd == 1
    assert not old.is_stale(ONE, today=date(2026, 6, 30))
    assert old.is_stale(ONE, today=date(2026, 7, 1))
    with pytest.raises(PriceStale) as caught:
        old.quote("p", "m", today=date(2026, 7, 1))

    assert caught.value.code == "PRICE_STALE"


def test_a_change_takes_the_place_of_a_price_and_a_withdrawn_one_is_unknown():
    large = replace(ONE, variant="size=large", usd=Decimal(4))
    old = PriceBook([ONE, large])

    new = old.with_changes({ONE.key: replace(ONE, usd=Decimal(2)), large.key: None})

    assert [price.usd for price in new] == [2]
    assert new.get(large.key) is None
    assert [price.usd for price in old] == [1, 4]


def test_a_variant_has_one_spelling():
    fields = {"resolution": "1080p", "generate_audio": True}

    assert variant_of(fields) == "generate_audio=true,resolution=1080p"
    assert read_variant(" resolution = 1080p ,generate_audio=true") == variant_of(fields)
    assert (variant_of({}), read_variant(" ")) == ("", "")


@pytest.mark.parametrize("text", ["1080p", "a=", "=b", "a=1,a=2", "a=1,", ","])
def test_what_is_no_variant_is_refused(text):
    with pytest.raises(ValueError, match="field=value"):
        read_variant(text)


WORD = st.text(st.sampled_from("abcXYZ019_."), min_size=1, max_size=8)


@given(st.dictionaries(WORD, WORD | st.booleans() | st.integers(), max_size=4))
def test_reading_a_spelled_variant_changes_nothing(fields):
    assert read_variant(variant_of(fields)) == variant_of(fields)
