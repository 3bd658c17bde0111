"""A vendor that calls a real server of ours over HTTP, and an engine whose bells are rung by hand."""

import pytest

from providers.kept import KEPT
from runs.engine.advance import advance_run
from runs.engine.submit import submit_attempt
from runs.models import Attempt
from tests.chaos.fal import paid
from tests.integration.runs.conftest import bells, emulator, fal, poller_ends  # noqa: F401
from tests.integration.runs.life import live
from tests.processes import wait_until


@pytest.fixture(autouse=True)
def nothing_is_kept():
    KEPT.forget()


@pytest.fixture
def vendor(fal, live_server, settings):  # noqa: F811
    """fal, which is told to call; its clock stands still, so that a job ends when a test says so."""
    settings.ZAP_PUBLIC_URL, settings.ZAP_ALLOW_LOOPBACK, settings.ZAP_WEBHOOKS = live_server.url, True, True
    return Caller(fal._desk, fal)


class Caller:
    """What a vendor does with its webhooks. `fal` is there for that vendor only."""

    def __init__(self, desk, fal=None):  # noqa: F811
        self.fal, self.desk = fal, desk
        self.desk.clock.freeze()
        self.desk.pace.run_s = 10

    def wrongly(self, do, **fields):
        """The next webhook goes wrong."""
        self.desk.plan.add({"on": "webhook", "do": do, **fields})

    def finish(self):
        """All jobs that were bought end."""
        self.desk.clock.advance(10)

    def answers(self, count=1):
        """How the first `count` deliveries were answered."""
        return [one.status for one in wait_until(lambda: self._delivered(count))]

    def _delivered(self, count):
        found = self.desk.journal.deliveries
        return found[:count] if len(found) >= count else None


@pytest.fixture
def at_work(vendor, bells):  # noqa: F811
    """A run whose one job is being made."""
    run = live(paid("a"))
    bells.waiting.clear()
    advance_run(run.pk)
    bells.waiting.clear()
    submit_attempt(run.attempts.get().pk)
    assert Attempt.objects.get().status == "accepted"
    return run
