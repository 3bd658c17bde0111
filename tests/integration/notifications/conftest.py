import pytest

from accounts.vault.cipher import new_key
from notifications import bells as doorbell
from notifications.deliver import deliver
from notifications.endpoints import add
from runs import heralds
from tests.integration.notifications.receiver import Receiver
from tests.integration.notifications.ways import caller
from tests.integration.runs.conftest import bells  # noqa: F401 (a fixture: the real engine, bell by bell)
from tests.integration.runs_api.conftest import _own_storage, as_staff, order, post  # noqa: F401 (fixtures)


@pytest.fixture(autouse=True)
def _vault(settings):
    settings.ZAP_SECRET_KEYS = [new_key()]


@pytest.fixture
def receiver(settings):
    made = Receiver()
    settings.ZAP_WEBHOOK_ORIGINS = [made.origin]
    yield made
    made.close()


@pytest.fixture
def told(monkeypatch):
    """told() → what one look of the drain rang for, each delivered at once, in the order of the bells."""
    rung = []
    monkeypatch.setattr(doorbell, "ring", lambda pk: rung.append(pk) or True)

    def look():
        heralds.herald().ring_due(100)
        due, rung[:] = list(rung), []
        for pk in due:
            deliver(pk)
        return len(due)

    return look


@pytest.fixture
def hook(alice, receiver):
    """Alice's endpoint at the receiver; `hook.plain` is its secret."""
    endpoint, plain = add(caller(alice), url=receiver.url)
    endpoint.plain = plain
    return endpoint
