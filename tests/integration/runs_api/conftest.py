import pytest

from tests.integration.people import bearer, make_user
from tests.integration.recipes import DOOR
from tests.integration.runs.conftest import bells, poller_ends  # noqa: F401 (fixtures: the real engine, bell by bell)


@pytest.fixture(autouse=True)
def _no_bells(monkeypatch):
    """These tests look at doors, not at workers: nobody answers the bells."""
    monkeypatch.setattr("runs.dispatch.ring_advance", lambda run_pk: True)
    monkeypatch.setattr("runs.dispatch.ring_erase", lambda: True)


@pytest.fixture(autouse=True)
def _own_storage(settings, tmp_path):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}


@pytest.fixture
def as_staff(db):
    return bearer(make_user("sam", staff=True))


@pytest.fixture
def open_doors(settings):
    """Plan and mock for callers whom we do not know."""
    settings.ZAP_OPEN_MODES = ("plan", "mock")


@pytest.fixture
def post(client):
    """POST JSON, return the response."""

    def send(path, body=None, **headers):
        return client.post(path, body or {}, content_type="application/json", headers=headers)

    return send


@pytest.fixture
def order():
    return {"source": DOOR, "inputs": {"NAME": "Ada"}, "mode": "mock"}


@pytest.fixture
def start(post, order):
    """Start a run as the owner of those headers; returns its id."""

    def begin(headers, **changes):
        answer = post("/api/zaps/run", {**order, **changes}, **headers)
        assert answer.status_code == 202, answer.content
        return answer.json()["runId"]

    return begin


@pytest.fixture
def hand(post, as_alice):
    """Lay Alice's hand on a run: the status and the body of the answer."""

    def lay(run, verb, **said):
        answer = post(f"/api/runs/{run.run_id}/{verb}", said, **as_alice)
        return answer.status_code, answer.json()

    return lay
