"""A transaction that the server undoes for the sake of another is made again at once."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import OperationalError, connection, transaction

from core.again import again
from runs.engine.advance import advance_run
from runs.models import Run
from runs.transitions import moving
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db(transaction=True)


def undone(times, sqlstate="40P01"):
    """A function that the server undoes so many times, and how often it was called."""
    calls = []

    @again
    def function():
        calls.append(1)
        if len(calls) <= times:
            with connection.cursor() as cursor:
                cursor.execute(f"DO $$ BEGIN RAISE SQLSTATE '{sqlstate}'; END $$")
        return "done"

    return function, calls


@pytest.mark.parametrize("sqlstate", ["40P01", "40001"])
def test_what_was_undone_is_done_the_next_time(sqlstate):
    function, calls = undone(2, sqlstate)

    assert (function(), len(calls)) == ("done", 3)


def test_the_third_time_is_the_last():
    function, calls = undone(3)

    with pytest.raises(OperationalError):
        function()
    assert len(calls) == 3


def test_another_trouble_of_the_database_comes_out_at_once():
    function, calls = undone(1, "57014")

    with pytest.raises(OperationalError):
        function()
    assert len(calls) == 1


def test_inside_somebody_elses_transaction_it_is_called_once():
    function, calls = undone(1)

    with pytest.raises(OperationalError), transaction.atomic():
        function()
    assert len(calls) == 1


def test_two_runs_that_block_each_other_are_both_moved(bells):
    """Each holds one and wants the other's: the server undoes one of the two."""
    runs = [make_run(planned("a")), make_run(planned("a"))]
    both_hold = Barrier(2, timeout=20)

    def both(first, second):
        once = iter([both_hold.wait])

        @again
        def one_after_the_other():
            with moving(first.pk) as moves:
                moves.said("note", "first")
                next(once, lambda: None)()
                Run.objects.filter(pk=second.pk).update(error="moved")

        try:
            one_after_the_other()
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(both, *runs), threads.submit(both, *reversed(runs))]:
            done.result(timeout=30)

    assert [run.events.filter(type="feedback.note").count() for run in runs] == [1, 1]
    assert list(Run.objects.values_list("error", flat=True)) == ["moved", "moved"]


def test_an_advance_that_is_undone_begins_the_step_all_the_same(bells, monkeypatch):
    run = make_run(planned("a"))
    function, _ = undone(1)
    enter = [function.__wrapped__, lambda: None]
    monkeypatch.setattr("runs.engine.advance.mind_the_time", lambda *_: enter.pop(0)() if enter else None)

    advance_run(run.pk)

    assert run.attempts.count() == 1
    assert [event.type for event in run.events.order_by("seq")].count("step.started") == 1
