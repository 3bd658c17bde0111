import pytest

from runs.engine.poller import POLLER


@pytest.fixture(autouse=True, scope="session")
def poller_ends(django_db_setup):
    """The drain's own connection must be gone before the test database is."""
    yield
    POLLER.stop()
