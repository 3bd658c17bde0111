"""A look that is written down while its run moves: one waits for the other, and neither is thrown out."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from core import moves as core_moves
from runs.engine.stop import stop_attempts
from runs.models import Attempt, Run
from runs.transitions import batches, moving
from tests.factories import make_run, planned
from tests.integration.runs.life import attempts_of, go_on, step_of
from tests.processes import wait_until

pytestmark = pytest.mark.django_db(transaction=True)

SLOW = {"mock": {"latency_s": 3600}}


@pytest.fixture
def looked(bells):
    """A step with two candidates at a provider, and what a poll found of the second."""
    run = make_run(planned("a", candidates=2, params=SLOW))
    go_on(bells, rounds=1)
    second = attempts_of(run)[1]
    Attempt.objects.exclude(pk=second.pk).update(due_at="2100-01-01T00:00:00Z")
    Attempt.objects.filter(pk=second.pk).update(due_at="2020-01-01T00:00:00Z", lease_until=None, polls=0)
    Run.objects.update(shown_at=None)  # the look is to be shown at once
    (leased,) = batches.claim_polls(2)
    assert leased.attempt_id == second.pk
    return run, batches.Look(leased, 60.0, progress=0.5)


def in_the_meantime(run, look, deed):
    """Do it in a run that is locked already when the look is about to be written."""
    with ThreadPoolExecutor(1) as drain:
        with moving(run.pk) as moves:
            written = drain.submit(write, look)
            wait_until(somebody_waits_for_a_lock)
            deed(moves)
        written.result(timeout=10)


def test_another_candidate_ends(looked):
    run, look = looked

    in_the_meantime(run, look, lambda moves: core_moves.write(step_of(run), error=""))

    assert step_of(run).progress == 0.5


def test_it_is_canceled(looked):
    run, look = looked

    in_the_meantime(run, look, lambda moves: stop_attempts(moves, step_of(run)))

    assert [one.status for one in attempts_of(run)] == ["canceling", "canceling"]


def write(look):
    try:
        batches.write_looks([look])
    finally:
        connection.close()


def somebody_waits_for_a_lock():
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
        return cursor.fetchone()[0]
