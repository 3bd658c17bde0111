"""One way to change a status: an UPDATE that names the states it may leave.

Statements are written out here rather than through the ORM because a run makes some forty of them, and building one
that way costs several times what the database needs to carry it out.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from core.errors import StaleState


class Move:
    """From any of `sources` to `target`."""

    __slots__ = ("sources", "target")

    def __init__(self, sources: Iterable[str], target: str) -> None:
        self.sources = tuple(sorted(map(str, sources)))
        self.target = str(target)


@dataclass(frozen=True, slots=True)
class Computed:
    """A value that the database works out: by its own clock, or from what the column held."""

    sql: str
    values: tuple[Any, ...] = ()


NOW = Computed("statement_timestamp()")


def later(seconds: float) -> Computed:
    """That many seconds from now, by the database's clock."""
    return Computed("statement_timestamp() + %s * interval '1 second'", (seconds,))


def apply(
    row: models.Model, move: Move, *, only: Computed | None = None, along: Computed | None = None, **changes: Any
) -> list[int]:
    """Move `row`, writing `changes` with it, or raise StaleState and write nothing.

    Check and write are one statement, so of two workers that try exactly one wins. The loser gets an
    exception, not False: its transaction rolls back whatever else it had done. `only` narrows the check,
    to the holder of a lease for instance. `along` is an INSERT to carry out in the same statement; the ids of
    its rows are returned, [] without it.
    """
    allowed = Computed("status = ANY(%s)", (list(move.sources),))
    ids = _update(row, {"status": move.target, **changes}, [allowed, *([only] if only else [])], along)
    if ids is None:
        raise StaleState(f"{row} cannot become {move.target}.")
    return ids


def write(row: models.Model, *, along: Computed | None = None, **changes: Any) -> None:
    """Write `changes`, whatever the status is. `along` as for `apply`."""
    _update(row, changes, [], along)


def _update(
    row: models.Model, changes: Mapping[str, Any], conditions: list[Computed], along: Computed | None
) -> list[int] | None:
    new = [
        (name, value if isinstance(value, Computed) else Computed("%s", (value,))) for name, value in changes.items()
    ]
    assignments = ", ".join(f"{name} = {value.sql}" for name, value in new)
    where = " AND ".join(["id = %s", *(condition.sql for condition in conditions)])
    statement = f"UPDATE {row._meta.db_table} SET {assignments} WHERE {where}"  # noqa: S608 (names are the models')
    values = [item for _, value in new for item in value.values]
    if along is not None:
        stored = "RETURNING (SELECT array_agg(id ORDER BY id) FROM along)"
        statement = f"WITH along AS ({along.sql} RETURNING id) {statement} {stored}"
        values = [*along.values, *values]
    values += [row.pk, *(item for condition in conditions for item in condition.values)]
    with connection.cursor() as cursor:
        cursor.execute(statement, [str(item) if isinstance(item, str) else item for item in values])
        if cursor.rowcount != 1:
            return None
        return list(cursor.fetchone()[0]) if along is not None else []
