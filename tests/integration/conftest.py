"""What every test with a database starts from."""

import pytest

from runs import circuits


@pytest.fixture(autouse=True)
def no_circuit_is_remembered():
    """A process keeps circuits in mind for a second, longer than most tests take."""
    circuits.forget()
