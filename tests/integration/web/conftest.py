import pytest
from django.core.management import call_command

from tests.integration.people import make_user
from tests.integration.recipes import DOOR
from tests.integration.runs.conftest import bells, emulator, fal, poller_ends  # noqa: F401 (fixtures: the real engine)
from tests.integration.runs_api.conftest import _no_bells, _own_storage  # noqa: F401 (fixtures)
from tests.pages import Visitor
from zaps.catalogue import Entry, publish


@pytest.fixture
def as_alice(alice):
    return Visitor(alice)


@pytest.fixture
def as_bob(db):
    return Visitor(make_user("bob"))


@pytest.fixture
def nobody(db):
    return Visitor()


@pytest.fixture
def recipes(db):
    call_command("load_recipes", verbosity=0)


@pytest.fixture
def blue_door(db):
    """A recipe with a required text and a picture."""
    publish(Entry(source=DOOR, prompts={}, visibility="public"), author=None)
