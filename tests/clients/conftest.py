import pytest

from tests.clients.played import Played


@pytest.fixture
def played():
    server = Played()
    yield server
    server.close()
