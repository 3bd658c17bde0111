import pytest
from django.db import connections

from tests.integration.flows.wire import SECRET, Client
from tests.integration.live.server import Server
from tests.integration.people import bearer, make_user

pytest.register_assert_rewrite("tests.integration.flows.checks")


@pytest.fixture
def port(transactional_db, settings, monkeypatch):
    """Where a real server listens that trusts whoever signs with SECRET."""
    # Without the server's pool, every request's thread would leave a connection behind.
    monkeypatch.setitem(connections.settings["default"], "CONN_MAX_AGE", 0)
    settings.ZAP_FLOWS_SECRET = SECRET
    with Server() as server:
        yield server.port


@pytest.fixture
def key(transactional_db):
    """A key of the staff."""
    return bearer(make_user("sam", staff=True))["Authorization"].removeprefix("Bearer ")


@pytest.fixture
def client(port, key):
    return Client(port, api_key=key, secret=SECRET)
