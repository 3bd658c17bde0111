from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers.contract import Talk
from providers.emulator import Emulator
from providers.testing.stage import asynchronous, blocking, hurry


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def fal(emulator):
    """fal's desk: its fault plan, clock, pace and journal."""
    return emulator.desks["fal"]


@pytest.fixture
def in_a_hurry(monkeypatch):
    """A call may take a second."""
    hurry(monkeypatch)


@pytest.fixture(params=[blocking, asynchronous], ids=["blocking", "async"])
def converse(request) -> Callable[[Talk[Any]], Any]:
    """Holds a conversation, through each of the two transports."""
    return request.param
