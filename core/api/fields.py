"""How moments, money and texts look on the wire, and how strictly a request is read."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail

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


@extend_schema_field({"type": ["string", "null"]})
class TextOrNull(serializers.Field):  # type: ignore[type-arg]
    """A text column that is empty when there is nothing to say, which callers see as null."""

    def to_representation(self, value: str) -> str | None:
        """None for the empty text."""
        return value or None

    def to_internal_value(self, data: Any) -> str:
        """Only ever read by callers."""
        raise serializers.ValidationError("This is not taken from callers.")


class Text(serializers.CharField):
    """A JSON string, kept exactly as it was sent."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"trim_whitespace": False, **kwargs})

    def to_internal_value(self, data: Any) -> str:
        """Numbers are no texts."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


def one_of(words: type[StrEnum], **kwargs: Any) -> serializers.ChoiceField:
    """A field that holds one word of a closed set."""
    return serializers.ChoiceField(choices=[(str(word), word.name) for word in words], **kwargs)


class Flag(serializers.BooleanField):
    """true or false, and no other word for it."""

    def to_internal_value(self, data: Any) -> bool:
        """Exactly a JSON boolean."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Count(serializers.IntegerField):
    """A JSON whole number; "3" and 3.5 are none."""

    def to_internal_value(self, data: Any) -> int:
        """Exactly a JSON integer."""
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class StrictRequest(serializers.Serializer[Any]):
    """A request body that is refused when it has a field that we do not know: a typo must not spend money."""

    def to_internal_value(self, data: Mapping[str, Any]) -> Any:
        """The values. Raises ValidationError, naming every field that is wrong or unknown."""
        unknown = (
            {name: [self._unknown(name)] for name in data if name not in self.fields}
            if isinstance(data, Mapping)
            else {}
        )
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as exc:
            detail = exc.detail if isinstance(exc.detail, dict) else {"non_field_errors": exc.detail}
            raise serializers.ValidationError({**detail, **unknown}) from None
        if unknown:
            raise serializers.ValidationError(unknown)
        return values

    def _unknown(self, name: str) -> ErrorDetail:
        near = get_close_matches(name, self.fields, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        return ErrorDetail(f"There is no field {name[:80]!r}.{hint}", code="FIELD_UNKNOWN")


class ProblemRow(serializers.Serializer[Any]):
    """One thing that is wrong, or that a plan warns of: core.errors.Problem."""

    code = serializers.CharField()
    message = serializers.CharField()
    line = serializers.IntegerField(allow_null=True, help_text="In the file that was sent, from 1.")
    column = serializers.IntegerField(allow_null=True)
    path = serializers.CharField(allow_null=True, help_text="Such as steps[2].duration_s or inputs.NAME.")
