"""What vendors' lists of prices come to, and that nonsense in them comes to no price."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.price_list import by_second, by_unit, read_usd
from providers.prices import UNITS, Told

MODELS = {"a", "b"}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def entry(**fields):
    return {"endpoint_id": "a", "unit_price": 0.05, "unit": "seconds", "currency": "USD", **fields}


@pytest.mark.parametrize(
    ("fields", "units", "usd"),
    [
        ({}, ("second",), "0.05"),
        ({"unit": "Second"}, ("second",), "0.05"),
        ({"unit": "megapixels"}, ("megapixel",), "0.05"),
        ({"unit": "images"}, ("request", "megapixel"), "0.05"),
        ({"unit": "minutes", "unit_price": "0.8"}, ("minute",), "0.8"),
        ({"unit": "1000 characters"}, ("1k_chars",), "0.05"),
        ({"unit": "characters", "unit_price": 0.00006}, ("1k_chars",), "0.06"),
        ({"unit": "compute seconds"}, (), "0.05"),
        ({"unit": None}, (), "0.05"),
        ({"unit_price": 0}, ("second",), "0"),
        ({"unit_price": -1}, ("second",), None),
        ({"unit_price": True}, ("second",), None),
        ({"unit_price": "NaN"}, ("second",), None),
        ({"unit_price": 1e300}, ("second",), None),
        ({"unit_price": [1]}, ("second",), None),
        ({"currency": "EUR"}, ("second",), None),
        ({"currency": None}, ("second",), None),
    ],
)
def test_an_entry_is_read_in_our_units(fields, units, usd):
    assert by_unit([entry(**fields)], models=MODELS) == [
        Told(model="a", units=units, usd=None if usd is None else Decimal(usd))
    ]


def test_what_is_no_entry_of_ours_is_left_out():
    listed = [entry(endpoint_id="z"), entry(endpoint_id=["a"]), {}, None, "a", entry(endpoint_id="b")]

    assert [told.model for told in by_unit(listed, models=MODELS)] == ["b"]
    assert by_unit({"a": 1}, models=MODELS) == []


LOUD = {"resolution": "1080p", "generate_audio": True}
VEO = {
    "duration_seconds_with_audio": "0.40",
    "duration_seconds_without_audio": "0.20",
    "duration_seconds_with_audio_4k": "0.60",
}


@pytest.mark.parametrize(
    ("skus", "asked", "usd"),
    [
        (VEO, LOUD, "0.40"),
        (VEO, {**LOUD, "resolution": "4K"}, "0.60"),
        (VEO, {**LOUD, "generate_audio": False}, "0.20"),
        (VEO, {"resolution": "720p"}, None),
        ({"duration_seconds_720p": "0.10", "duration_seconds": "0.15"}, {"resolution": "720p"}, "0.10"),
        ({"duration_seconds_720p": "0.10"}, LOUD, None),
        ({"duration_seconds": 0.3}, {}, "0.3"),
        ({"duration_seconds": "0.13", "reference_images": "0.04"}, {}, None),
        ({"video_tokens": "0.0000043"}, {}, None),
        ({"duration_seconds": "free"}, {}, None),
        ({}, LOUD, None),
        (None, LOUD, None),
        ([1], LOUD, None),
    ],
)
def test_the_price_of_a_second_is_that_of_what_is_asked_for_and_of_nothing_else(skus, asked, usd):
    told = by_second("m", "v", skus, asked)

    assert told == Told(model="m", variant="v", units=("second",), usd=None if usd is None else Decimal(usd))


@given(ANYTHING, ANYTHING)
def test_a_list_makes_sense_whatever_stands_in_it(listed, skus):
    entries = [listed, {"endpoint_id": "a", "unit": listed, "unit_price": skus, "currency": "USD"}]
    for told in [*by_unit(entries, models=MODELS), by_second("m", "", skus, {"resolution": listed})]:
        assert told.usd is None or 0 <= told.usd < 10**6
        assert set(told.units) <= UNITS


@given(ANYTHING)
def test_an_amount_is_dollars_or_nothing(amount):
    read = read_usd(amount, times=1000)

    assert read is None or 0 <= read < 10**6
