"""Reading a request's JSON: bounded, one object, and only what PostgreSQL can store."""

import json
import math
import re
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

from core.errors import Refused

MEGABYTE = 1024 * 1024
#: escapes that may stand for a NUL or for half a character, which neither jsonb nor UTF-8 can hold
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class BodyTooLarge(Refused):
    """The request's body is larger than this address takes."""

    code = "BODY_TOO_LARGE"
    title = "The request is too large."
    status = 413
    remediation = "Send media as https addresses, or as data: URIs inside `inputs`, 20 MB together."


class JsonObjectParser(BaseParser):
    """One JSON object of at most 1 MB. Raises ParseError (400) or BodyTooLarge (413)."""

    media_type = "application/json"
    renderer_class = JSONRenderer
    max_bytes = MEGABYTE

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The object. Numbers are finite; strings hold whole characters and no NUL."""
        raw = stream.read(self.max_bytes + 1)
        if len(raw) > self.max_bytes:
            raise BodyTooLarge(f"The body is larger than {self.max_bytes // MEGABYTE} MB.")
        try:
            data = json.loads(raw.decode(), parse_constant=_refuse_constant, parse_float=_finite)
        except RecursionError:
            raise ParseError("The JSON is nested too deeply.") from None
        except ValueError:
            raise ParseError("The body is not JSON.") from None
        if not isinstance(data, dict):
            raise ParseError("The body must be one JSON object.")
        if _SUSPECT.search(raw) and not _storable(data):
            raise ParseError("A text contains a NUL or half a character (a lone surrogate).")
        if len(raw) - self.media_bytes(data) > MEGABYTE:
            raise BodyTooLarge("Without its media the body is larger than 1 MB.")
        return data

    def media_bytes(self, data: Mapping[str, Any]) -> int:
        """How much of the body is media, which has a limit of its own."""
        return 0


class MediaJsonObjectParser(JsonObjectParser):
    """The same, where `inputs` may carry media as data: URIs: 20 MB of it, a third more as base64."""

    max_bytes = 29 * MEGABYTE

    def media_bytes(self, data: Mapping[str, Any]) -> int:
        """The length of the data: URIs that stand directly in `inputs`."""
        inputs = data.get("inputs")
        values = inputs.values() if isinstance(inputs, dict) else ()
        return sum(len(value) for value in values if isinstance(value, str) and value.startswith("data:"))


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is too large")
    return value


def _storable(value: Any) -> bool:
    if isinstance(value, str):
        return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
    if isinstance(value, dict):
        return all(_storable(part) for pair in value.items() for part in pair)
    if isinstance(value, list):
        return all(_storable(part) for part in value)
    return True
