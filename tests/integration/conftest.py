"""What every test with a database starts from."""

import pytest

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
