"""Real processes that buy from the emulator, with leases short enough to watch them end."""

import pytest

from providers.emulator import Emulator
from tests.chaos.fal import KEY, Fal

LEASES_S = {"SUBMIT": 5, "POLL": 3, "WORK": 3}  # a first submission sets a process up, which may take seconds


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
    leases = {f"ZAP_{work}_LEASE_S": str(lease_s) for work, lease_s in LEASES_S.items()}
    stack.environment |= {"FAL_KEY": KEY, "FAL_BASE_URL": fal.url, "ZAP_ALLOW_LOOPBACK": "1", **leases}
    yield stack
    for name in ("worker", "drain", "beat"):  # a gentle end would take seconds, and proves nothing here
        if stack.pid(name):
            stack.kill(name)


@pytest.fixture
def patient(workers):
    """The same, and whoever is at work is left at it, however long the machine holds them up."""
    workers.environment["ZAP_WORK_LEASE_S"] = "600"
    return workers
