"""Rows out of statements that are written out, and into them.

Django builds the text of a query anew each time, which costs several times what the database needs to answer it. What
is asked in every step of every run has its text made once.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.models.expressions import DatabaseDefault
from django.db.models.functions import Now

M = TypeVar("M", bound=models.Model)

_NOW = "statement_timestamp()"


class Columns(Generic[M]):
    """Columns of one table: those that are named, else all. What is not named is read when somebody wants it.

    Raises KeyError where the table has no such column.
    """

    def __init__(self, model: type[M], *names: str) -> None:
        fields = {field.name: field for field in model._meta.concrete_fields}
        wanted = {"id", *names} if names else set(fields)
        self._model = model
        self._fields = sorted((fields[name] for name in wanted), key=list(fields.values()).index)
        self._names = [field.attname for field in self._fields]
        # Django leaves jsonb of a plain cursor as text.
        readers = [getattr(field, "from_db_value", None) for field in self._fields]
        self._readers = [(place, reader) for place, reader in enumerate(readers) if reader is not None]

    def of(self, alias: str) -> str:
        """As a SELECT lists them; `alias` is what the statement calls the table."""
        return ", ".join(f"{alias}.{field.column}" for field in self._fields)

    def take(self, values: Iterator[Any]) -> M:
        """The row that the next of the values make; as many are taken as there are columns."""
        mine = list(islice(values, len(self._fields)))
        for place, read in self._readers:
            mine[place] = read(mine[place], None, None)
        row: M = self._model.from_db(DEFAULT_DB_ALIAS, self._names, mine)
        return row


def insertion(new: Sequence[models.Model]) -> tuple[str, tuple[Any, ...]]:
    """An INSERT of new rows of one table, made alike, and its values.

    What they leave to the database is left to it; of expressions, `Now()` is known.
    """
    first = new[0]
    fields = [
        field
        for field in first._meta.concrete_fields
        if not field.primary_key and not isinstance(getattr(first, field.attname), DatabaseDefault)
    ]
    texts, values = [], []
    for row in new:
        given = [(field, getattr(row, field.attname)) for field in fields]
        texts.append(f"({', '.join(_NOW if isinstance(value, Now) else '%s' for _, value in given)})")
        values += [field.get_db_prep_save(value, connection) for field, value in given if not isinstance(value, Now)]
    columns = ", ".join(str(field.column) for field in fields)
    return f"INSERT INTO {first._meta.db_table} ({columns}) VALUES {', '.join(texts)}", tuple(values)  # noqa: S608
