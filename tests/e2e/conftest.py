"""The service at work, and windows of real Chromium to look at it."""

from pathlib import Path

import pytest
from django.core.management import call_command

from tests.browser import Browser
from tests.integration.people import make_user
from zaps.catalogue import Entry, publish

ROOT = Path(__file__).parents[2]


@pytest.fixture
def service(stack):
    """The service at work, with its recipes and with Anna, who may sign in."""
    stack.environment["ZAP_OPEN_MODES"] = "plan,mock"
    call_command("load_recipes", verbosity=0)
    publish(Entry(source=(ROOT / "examples/gate/Zap.md").read_text("utf-8"), visibility="public"), author=None)
    make_user("anna")
    stack.start("worker", "drain", "beat", "web")
    return stack.address


@pytest.fixture
def window(service):
    """`window(dark=True, width=390)` opens a browser at the gallery; every one is closed at the end."""
    opened = []

    def begin(**look):
        opened.append(Browser(**look))
        opened[-1].open(f"{service}/")
        return opened[-1]

    yield begin
    for one in opened:
        one.close()
