"""Statements that are written out: what happens with every event and every claim has its text made once."""

import json
from collections.abc import Mapping
from typing import Any

from django.db import connection


def rows(statement: str, values: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """What the statement returns."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def count(statement: str, values: Mapping[str, Any]) -> int:
    """How many rows the statement changed."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return int(cursor.rowcount)


def text(value: Any) -> str:
    """A JSON value, for a jsonb column."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def value(text: str | None) -> Any:
    """What a jsonb column holds: Django's cursors leave it as text."""
    return None if text is None else json.loads(text)
