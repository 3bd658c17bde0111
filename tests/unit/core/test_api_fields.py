from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rest_framework.serializers import ValidationError

from core.api.fields import Address, EpochMs, TextOrNull, Usd
from core.api.links import public_url


def test_a_moment_is_milliseconds():
    assert EpochMs().to_representation(datetime(2026, 5, 1, 12, 0, 0, 123_600, tzinfo=UTC)) == 1_777_636_800_124


@pytest.mark.parametrize("amount", ["0.1", "0.35", "0.000001", "999999.999999", "12.340000"])
def test_money_prints_as_it_was(amount):
    assert Decimal(str(Usd().to_representation(Decimal(amount)))) == Decimal(amount)


@pytest.mark.parametrize(("number", "amount"), [(0.1, "0.1"), (5, "5"), (0, "0"), (1e-6, "0.000001")])
def test_a_number_becomes_exactly_that_amount(number, amount):
    assert Usd().to_internal_value(number) == Decimal(amount)


@pytest.mark.parametrize("number", ["5", True, None, -0.1, 1_000_000, float("nan")])
def test_what_is_no_amount_is_refused(number):
    with pytest.raises(ValidationError):
        Usd().to_internal_value(number)


def test_empty_texts_are_null():
    assert (TextOrNull().to_representation(""), TextOrNull().to_representation("x")) == (None, "x")


def test_addresses_begin_with_the_public_one(settings):
    settings.ZAP_PUBLIC_URL = "https://zap.example"

    assert Address().to_representation("/api/runs/r") == "https://zap.example/api/runs/r"
    assert Address().to_representation("") is None
    assert public_url("https://elsewhere/x") == "https://elsewhere/x"
