"""How moments and money look on the wire."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.links import public_url


@extend_schema_field(OpenApiTypes.INT64)
class EpochMs(serializers.Field):  # type: ignore[type-arg]
    """A moment as milliseconds since 1970."""

    def to_representation(self, value: datetime) -> int:
        """Rounded to the millisecond."""
        return round(value.timestamp() * 1000)

    def to_internal_value(self, data: Any) -> datetime:
        """Moments are only ever read by callers."""
        raise serializers.ValidationError("This is not taken from callers.")


@extend_schema_field(OpenApiTypes.DOUBLE)
class Usd(serializers.Field):  # type: ignore[type-arg]
    """Dollars as a JSON number. Six places below a million survive the trip through a double unchanged."""

    def to_representation(self, value: Decimal) -> float:
        """As the nearest double, which prints as the decimal did."""
        return float(value)

    def to_internal_value(self, data: Any) -> Decimal:
        """By way of its shortest text, so that 0.1 is a tenth."""
        if isinstance(data, bool) or not isinstance(data, int | float) or not 0 <= data < 1_000_000:
            raise serializers.ValidationError("This is a number of dollars from 0 to 1,000,000.")
        return Decimal(str(data))


@extend_schema_field(OpenApiTypes.STR)
class Address(serializers.Field):  # type: ignore[type-arg]
    """A path of ours, as the address that callers can use."""

    def to_representation(self, value: str) -> str | None:
        """None when there is no address yet."""
        return public_url(value) if value else None

    def to_internal_value(self, data: Any) -> str:
        """Addresses are only ever read by callers."""
        raise serializers.ValidationError("This is not taken from callers.")
