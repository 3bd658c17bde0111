"""What every test with a database starts from."""

import pytest
from django.db import connection

from runs import circuits, limits
from tests.integration.people import bearer, make_user


@pytest.fixture(autouse=True)
def no_circuit_is_remembered():
    """A process keeps circuits and accounts in mind for a second, longer than most tests take."""
    circuits.forget()
    limits.forget()


@pytest.fixture
def alice(db):
    return make_user("alice")


@pytest.fixture
def as_alice(alice):
    return bearer(alice)


@pytest.fixture
def as_bob(db):
    return bearer(make_user("bob"))


@pytest.fixture
def worst_plans(db):
    """PostgreSQL plans as it may on any day: whatever can be read for every row is."""
    with connection.cursor() as cursor:
        for way in ("hashjoin", "mergejoin", "hashagg", "sort", "material"):
            cursor.execute(f"SET enable_{way} = off")
        yield
        cursor.execute("RESET ALL")
