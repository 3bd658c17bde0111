"""Moves of one run, made together.

They are made inside `moving(run)`: it locks the run first, so that the moves of one run never interleave, and on
leaving it writes the new revision and one event a move, in the same transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from core.errors import NotFound
from core.rows import Columns
from runs.models import Run
from runs.transitions.of_attempts import AttemptMoves
from runs.transitions.of_runs import RunMoves
from runs.transitions.of_steps import StepMoves

_LOCKED = Columns(
    Run,
    *("run_id", "owner", "parent", "zap_slug", "provider_mode", "status", "stage", "wait_reason", "revision"),
    *("cap_usd", "reserved_usd", "cost_usd", "deleted_at"),
)
_LOCK = f"SELECT {_LOCKED.of('r')} FROM runs r WHERE r.id = %s FOR UPDATE"  # noqa: S608 (our own column names)


class Moves(RunMoves, StepMoves, AttemptMoves):
    """The moves of one locked run."""


@contextmanager
def moving(run_pk: int, *, actor: str = "worker") -> Iterator[Moves]:
    """Lock the run and let it move; on leaving, revision and events are written.

    Raises StaleState out of the block when a move was refused: everything in the block is rolled back.
    """
    with transaction.atomic():
        moving_run = Moves(_locked(run_pk), actor)
        yield moving_run
        moving_run.flush()


def _locked(run_pk: int) -> Run:
    """The run, locked until the transaction ends, without its bulky texts."""
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, [run_pk])
        row = cursor.fetchone()
    if row is None:
        raise NotFound("The run is gone.")
    return _LOCKED.take(iter(row))
