"""Real servers for every test, started before anything reads a setting."""

import os
import shutil
import sys

import django
import pytest
import redis
from hypothesis import HealthCheck, settings

from clients import node
from core import hints
from tests import bun
from tests.processes import Processes
from tests.servers import SERVERS, environment

os.environ.update(environment())
django.setup()
# An example that was slow says that the machine was busy.
settings.register_profile("any-speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-speed")
# So does a Redis that was slow, and what counts there would be counted elsewhere for some seconds.
hints._TIMEOUT_S = 10.0


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="let no test be skipped: a missing tool fails")


def pytest_configure(config):
    if not config.getoption("--all"):
        return
    if missing := [tool for tool in ("chromium", "chromedriver", "curl", *node.NEEDED) if not shutil.which(tool)]:
        needed = "apt-get install chromium chromium-driver curl nodejs npm"
        raise pytest.UsageError(f"--all tries everything, and {' and '.join(missing)} cannot be found: {needed}")
    for folder in (node.CLIENT, node.FRONTEND, bun.FOLDER):
        node.set_up(folder)
    if not bun.is_there():
        raise pytest.UsageError("--all tries everything, and there is no Bun for this machine in the npm registry.")


def pytest_sessionfinish(session, exitstatus):
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if session.config.getoption("--all") and reporter.stats.get("skipped") and exitstatus == 0:
        reporter.write_line("With --all, a skipped test is a failure.", red=True)
        session.exitstatus = 1


def pytest_unconfigure():
    SERVERS.release()


@pytest.fixture
def broker():
    """The empty broker of the tests."""
    with redis.from_url(SERVERS.redis_url, socket_timeout=5) as client:
        client.flushall()
        yield client


@pytest.fixture
def stack(transactional_db, broker, request):
    """Worker, drain, beat and web as real processes: stack.start("worker"), stack.kill("worker"), stack.said()."""
    from django.db import connection

    processes = Processes(connection.settings_dict["NAME"])
    yield processes
    processes.close()
    print(processes.said())


@pytest.fixture
def left_out(monkeypatch):
    """Somebody installed a provider that cannot be used."""
    from core.registry import LeftOut
    from providers.registry import PROVIDERS

    found = LeftOut(package="zaps-acme 1.2", name="acme", why="It needs acme_sdk, which is missing.")
    monkeypatch.setitem(vars(PROVIDERS), "_loaded", (PROVIDERS.entries, (found,)))


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder that this process finds packages in (tests.plug_ins.install); it forgets them after the test."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("plugged_")]:
        del sys.modules[name]
