"""Rows out of statements that are written out.

Django builds the text of a query anew each time, which costs several times what the database needs to answer it. What
is asked in every step of every run has its text made once.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, models

M = TypeVar("M", bound=models.Model)


class Columns(Generic[M]):
    """Columns of one table: those that are named, else all. What is not named is read when somebody wants it."""

    def __init__(self, model: type[M], *names: str) -> None:
        fields = {field.name: field for field in model._meta.concrete_fields}
        wanted = {"id", *names} if names else set(fields)
        self._model = model
        self._fields = [fields[name] for name in sorted(wanted, key=list(fields).index)]
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
