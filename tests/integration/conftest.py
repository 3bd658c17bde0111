"""What every test with a database starts from."""

import pytest

from runs import circuits, limits


@pytest.fixture(autouse=True)
def no_circuit_is_remembered():
    """A process keeps circuits and accounts in mind for a second, longer than most tests take."""
    circuits.forget()
    limits.forget()
