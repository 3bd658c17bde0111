import pytest

from bridge import bells as doorbell
from tests.integration.deletion.conftest import delete  # noqa: F401 (a fixture)
from tests.integration.people import make_user
from tests.integration.runs.conftest import bells, poller_ends  # noqa: F401 (fixtures: the real engine, bell by bell)


@pytest.fixture(autouse=True)
def _for_everyone(settings):
    settings.ZAP_FLOW_EVENTS = "everyone"


@pytest.fixture(autouse=True)
def rung(monkeypatch):
    """Every bell of the bridge; `rung.clear()` loses them."""
    heard = []
    monkeypatch.setattr(doorbell, "ring", lambda: heard.append("bell") or True)
    return heard


@pytest.fixture
def sam(db):
    return make_user("sam", staff=True)
