import pytest

from accounts.api import places
from tests.factories import make_run, planned
from tests.integration.live.server import Server
from tests.integration.people import bearer, make_user


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch):
    """No worker answers the bells."""
    monkeypatch.setattr("runs.dispatch.ring_advance", lambda run_pk: True)


@pytest.fixture(autouse=True)
def _no_streams(monkeypatch):
    """Another test may have asked for a stream and never read it."""
    monkeypatch.setattr(places, "_TAKEN", {})


@pytest.fixture
def server(transactional_db):
    with Server() as server:
        yield server


@pytest.fixture
def alice(transactional_db):
    return make_user("alice")


@pytest.fixture
def as_staff(transactional_db):
    return bearer(make_user("sam", staff=True))


@pytest.fixture
def run_of_alice(alice):
    return make_run(planned("door"), owner=alice)
