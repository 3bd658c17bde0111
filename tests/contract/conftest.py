import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from providers import http
from providers.contract import Talk
from providers.emulator import Emulator
from providers.http_async import AsyncTransport


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def fal(emulator):
    """fal's desk: its fault plan, clock, pace and journal."""
    return emulator.desks["fal"]


def blocking(talk: Talk[Any]) -> Any:
    return http.hold(talk, timeout_s=(1, 1))


def asynchronous(talk: Talk[Any]) -> Any:
    async def hold() -> Any:
        async with AsyncTransport() as transport:
            return await transport.hold(talk, timeout_s=1)

    return asyncio.run(hold())


@pytest.fixture(params=[blocking, asynchronous], ids=["blocking", "async"])
def converse(request) -> Callable[[Talk[Any]], Any]:
    """Holds a conversation, through each of the two transports."""
    return request.param
