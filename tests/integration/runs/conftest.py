"""The engine without a broker: bells are written down, and rung by hand in the order that a test wants."""

from decimal import Decimal

import pytest

from providers.emulator import Emulator
from runs import dispatch
from runs.deletion import files
from runs.engine.advance import advance_run
from runs.engine.poll import poll_attempt
from runs.engine.poller import POLLER
from runs.engine.render import render_attempt
from runs.engine.settle import settle_attempt
from runs.engine.submit import submit_attempt
from tests.chaos.fal import KEY, Fal
from tests.integration.runs.life import LOOK, Critic
from zaps.planned import LOCAL


class Bells:
    """Every bell that was rung and not answered yet, oldest first."""

    def __init__(self):
        self.waiting = []
        self.down = False

    def ring(self, verb, pk):
        if not self.down:
            self.waiting.append((verb, pk))
        return not self.down

    def answer(self):
        """Do what the oldest bell asks for. Returns the verb and its row."""
        verb, pk = self.waiting.pop(0)
        verb(pk)
        return verb, pk

    def answer_all(self):
        """Until nobody rings any more."""
        while self.waiting:
            self.answer()


def poll_and_settle(attempt_pk):
    """The chain that a webhook sends."""
    if poll_attempt(attempt_pk).settle:
        settle_attempt(attempt_pk)


@pytest.fixture
def bells(monkeypatch):
    rung = Bells()
    begin = {True: render_attempt, False: submit_attempt}
    monkeypatch.setattr(dispatch, "ring_advance", lambda pk: rung.ring(advance_run, pk))
    monkeypatch.setattr(dispatch, "ring_begin", lambda pk, key, provider: rung.ring(begin[provider == LOCAL], pk))
    monkeypatch.setattr(dispatch, "ring_poll", lambda pk, key: rung.ring(poll_and_settle, pk))
    monkeypatch.setattr(dispatch, "ring_settle", lambda pk, key: rung.ring(settle_attempt, pk))
    monkeypatch.setattr(dispatch, "ring_erase", lambda: rung.ring(lambda _: files.delete_due(), None))
    return rung


@pytest.fixture(autouse=True, scope="session")
def poller_ends(django_db_setup):
    """The drain's own connection must be gone before the test database is."""
    yield
    POLLER.stop()


@pytest.fixture
def people(django_user_model):
    """One who orders much, and one who orders little."""
    return [django_user_model.objects.create(username=name) for name in ("large", "small")]


@pytest.fixture
def emulator():
    """The vendors and the judge on loopback, with their fault plans and journals."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def fal(emulator, monkeypatch):
    """The vendor that this process buys from."""
    vendor = Fal(emulator)
    for name, value in {"FAL_KEY": KEY, "FAL_BASE_URL": vendor.url, "ZAP_ALLOW_LOOPBACK": "1"}.items():
        monkeypatch.setenv(name, value)
    return vendor


@pytest.fixture
def judge(emulator, settings):
    """The service that live runs ask what they think of a picture: its fault plan and its journal. 0.002 USD a look."""
    settings.ZAP_JUDGE_URL, settings.ZAP_JUDGE_MODEL = emulator.urls["judge"], "eyes-1"
    settings.ZAP_JUDGE_USD, settings.ZAP_JUDGE_KEY, settings.ZAP_JUDGE_TIMEOUT_S = Decimal(LOOK), "a-key", 10
    return Critic(emulator)
