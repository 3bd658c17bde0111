"""One way to change a status: an UPDATE that names the states it may leave."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from core.errors import StaleState


class Move:
    """From any of `sources` to `target`."""

    __slots__ = ("sources", "target")

    def __init__(self, sources: Iterable[str], target: str) -> None:
        self.sources = tuple(sorted(map(str, sources)))
        self.target = str(target)


def apply(row: models.Model, move: Move, *, only: models.Q | None = None, **changes: Any) -> None:
    """Move `row`, writing `changes` with it, or raise StaleState and write nothing.

    Check and write are one statement, so of two workers that try exactly one wins. The loser gets an
    exception, not False: its transaction rolls back whatever else it had done. `only` narrows the check,
    to the holder of a lease for instance.
    """
    rows = type(row)._base_manager.filter(pk=row.pk, status__in=move.sources)
    if only is not None:
        rows = rows.filter(only)
    if rows.update(status=move.target, **changes) != 1:
        raise StaleState(f"{row} cannot become {move.target}.")
