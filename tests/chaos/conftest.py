"""Real processes that buy from the emulator, with leases short enough to watch them end."""

import pytest

from providers.emulator import Emulator
from tests.chaos.fal import KEY, Fal

LEASE_S = 3


@pytest.fixture
def emulator():
    """All vendors on loopback."""
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def fal(emulator):
    """The vendor on loopback: its fault plan, its pace, and the journal of what was bought."""
    return Fal(emulator)


@pytest.fixture
def workers(fal, stack):
    """The processes of `stack`, which buy from `fal`."""
    leases = {f"ZAP_{work}_LEASE_S": str(LEASE_S) for work in ("SUBMIT", "POLL", "WORK")}
    stack.environment |= {"FAL_KEY": KEY, "FAL_BASE_URL": fal.url, "ZAP_ALLOW_LOOPBACK": "1", **leases}
    yield stack
    for name in ("worker", "drain", "beat"):  # a gentle end would take seconds, and proves nothing here
        if stack.pid(name):
            stack.kill(name)
