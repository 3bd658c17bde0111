import pytest

from tests.integration.runs.conftest import bells, emulator, fal, poller_ends  # noqa: F401 (fixtures: the real engine)
from tests.integration.runs_api.conftest import _own_storage, as_staff, post, start  # noqa: F401 (the doors)


@pytest.fixture
def order():
    return {}


@pytest.fixture
def delete(client):
    """DELETE a run as the owner of those headers; returns the answer."""

    def ask(run, headers):
        return client.delete(f"/api/runs/{run.run_id}", headers=headers)

    return ask
