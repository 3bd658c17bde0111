"""What every row on the wire has in common: fields that not everybody sees, and error codes in words."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.api.fields import TextOrNull
from runs.faults import explain

PROVIDER_MODES = ["mock", "live"]
Char, Int, Float = serializers.CharField, serializers.IntegerField, serializers.FloatField


class ErrorDetail(serializers.Serializer[Any]):
    """An error code in words."""

    code = Char()
    message = Char()
    remediation = Char()
    retryable = serializers.BooleanField()


def error_detail(code: str) -> dict[str, Any] | None:
    """`code` in words; None where nothing failed."""
    if not code:
        return None
    fault = explain(code)
    return {"code": code, "message": fault.message, "remediation": fault.remediation, "retryable": fault.retryable}


class Row(serializers.Serializer[Any]):
    """A row whose `secret` fields only its owner and staff are shown (the context says who looks)."""

    secret: tuple[str, ...] = ()

    def get_fields(self) -> dict[str, Any]:
        """Without the secret ones, unless the context has `secrets`."""
        fields = super().get_fields()
        if not self.context.get("secrets", True):
            for name in self.secret:
                del fields[name]
        return fields


class ShownToSome(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """How the schema speaks of it: secret fields may be absent."""

    target_class = Row
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """With those fields not required."""
        mapped: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)
        mapped["required"] = [name for name in mapped["required"] if name not in self.target.secret]
        return mapped


class Failable(Row):
    """Something that may have failed: a stable code, null where it did not, and beside it the code in words."""

    error = TextOrNull()
    errorDetail = serializers.SerializerMethodField()

    @extend_schema_field(ErrorDetail(allow_null=True))
    def get_errorDetail(self, row: Any) -> dict[str, Any] | None:  # noqa: N802 (the wire's word)
        """The code in words."""
        return error_detail(row.error)
