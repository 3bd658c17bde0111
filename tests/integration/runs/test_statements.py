"""How many statements a run makes: what it is asked a thousand times a minute must not creep upwards."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from runs import circuits
from tests.factories import make_run, planned

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def circuits_are_known(monkeypatch):
    """They are read anew every second, however many steps that is."""
    monkeypatch.setattr(circuits, "_KNOWN_FOR_S", 3600)
    circuits.admit("mock", "any")


def statements(bells, run):
    """By bell, until nobody rings."""
    counted = []
    while bells.waiting:
        with CaptureQueriesContext(connection) as seen:
            bells.answer()
        counted.append(len(seen))
    run.refresh_from_db()
    assert run.status == "done"
    return counted


def test_an_instant_step_makes_sixteen_statements_however_long_the_run(bells):
    steps = [planned(f"s{n}", *([f"s{n - 1}"] if n else []), kind="image.edit" if n else "image.gen") for n in range(6)]

    first, *others = statements(bells, make_run(*steps))

    assert first <= 7
    assert max(others) <= 16


def test_candidates_make_no_more_statements_each_the_more_there_are(bells):
    few = statements(bells, make_run(planned("a", candidates=2)))
    many = statements(bells, make_run(planned("a", candidates=8)))

    per_candidate = (sum(many) - sum(few)) / 6
    assert per_candidate <= 18
    assert many[-2] <= few[-2] + 2
