"""Long lists, one page at a time, by key: a page costs the same wherever it stands, and none is skipped or repeated."""

import base64
import binascii
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.db.models import Model, Q, QuerySet
from drf_spectacular.utils import OpenApiParameter

from core.errors import BadInput, Problem

M = TypeVar("M", bound=Model)
T = TypeVar("T")
DEFAULT_LIMIT, MAX_LIMIT = 20, 100
#: for `extend_schema(parameters=…)` of a list
PAGING = [
    OpenApiParameter(
        "limit",
        {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
        description="How many rows at most.",
    ),
    OpenApiParameter("cursor", str, description="`nextCursor` of the page before; the first page without it."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page(Generic[T]):
    """Some rows, and where the next ones begin; `next_cursor` is None on the last page."""

    items: list[T]
    next_cursor: str | None


def read_limit(text: str | None) -> int:
    """How many rows the caller wants, 1..100. Raises BadInput."""
    if text is None or text == "":
        return DEFAULT_LIMIT
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and 1 <= int(text) <= MAX_LIMIT):
        raise _refused("limit", f"limit is a whole number from 1 to {MAX_LIMIT}.")
    return int(text)


def paginate(rows: QuerySet[M], *, keys: tuple[str, ...], descending: bool, cursor: str | None, limit: int) -> Page[M]:
    """The `limit` rows that follow `cursor`, ordered by `keys`, whose last must be unique. Raises BadInput."""
    if cursor:
        rows = rows.filter(_after(keys, _values(rows.model, keys, cursor), "lt" if descending else "gt"))
    order = [f"-{key}" if descending else key for key in keys]
    found = list(rows.order_by(*order)[: limit + 1])
    items = found[:limit]
    return Page(items=items, next_cursor=_encode(_texts_of(items[-1], keys)) if len(found) > limit else None)


def paginate_sorted(
    rows: Iterable[T], *, key: Callable[[T], tuple[str, ...]], parts: int, cursor: str | None, limit: int
) -> Page[T]:
    """The same of rows that no table holds, in ascending order of a unique `key` of so many parts. Raises BadInput."""
    edge = tuple(_decode(parts, cursor)) if cursor else None
    behind = sorted((row for row in rows if edge is None or key(row) > edge), key=key)
    items = behind[:limit]
    return Page(items=items, next_cursor=_encode(key(items[-1])) if len(behind) > limit else None)


def _after(keys: tuple[str, ...], values: list[Any], word: str) -> Q:
    """(a, b) beyond (x, y). The first condition repeats what the rest implies, so that an index can be used."""
    beyond, equal = Q(), Q()
    for key, value in zip(keys, values, strict=True):
        beyond |= equal & Q(**{f"{key}__{word}": value})
        equal &= Q(**{key: value})
    return Q(**{f"{keys[0]}__{word}e": values[0]}) & beyond


def _texts_of(row: Model, keys: tuple[str, ...]) -> list[str]:
    return [row._meta.get_field(key).value_to_string(row) for key in keys]  # type: ignore[union-attr]


def _encode(texts: Sequence[str]) -> str:
    return base64.urlsafe_b64encode(json.dumps(texts).encode()).decode().rstrip("=")


def _values(model: type[Model], keys: tuple[str, ...], cursor: str) -> list[Any]:
    texts = _decode(len(keys), cursor)
    try:
        return [model._meta.get_field(key).to_python(text) for key, text in zip(keys, texts, strict=True)]  # type: ignore[union-attr]
    except (ValueError, ValidationError, FieldDoesNotExist):
        raise _no_cursor() from None


def _decode(parts: int, cursor: str) -> list[str]:
    try:
        texts = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        if not isinstance(texts, list) or len(texts) != parts or not all(isinstance(text, str) for text in texts):
            raise ValueError
        if any("\0" in text or len(text) > 200 for text in texts):
            raise ValueError
        "".join(texts).encode()  # JSON can hold half of a pair of surrogates, which the database refuses
    except (ValueError, binascii.Error, RecursionError):
        raise _no_cursor() from None
    return texts


def _no_cursor() -> BadInput:
    return _refused("cursor", "cursor is not one that we gave out.")


def _refused(name: str, sentence: str) -> BadInput:
    return BadInput(sentence, problems=[Problem(code="PARAMETER_INVALID", message=sentence, path=name)])
