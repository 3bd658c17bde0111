"""Where adapters are tried: the emulator, and each of the two transports."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest

from providers import http
from providers.contract import Talk
from providers.emulator import Emulator
from providers.http_async import AsyncTransport

Hold: TypeAlias = Callable[[Talk[Any]], Any]

#: what a call may take: long, for the machine may be busy. A test of a vendor that is too slow says `in_a_hurry`.
PATIENCE_S = 10.0


def blocking(talk: Talk[Any]) -> Any:
    """As tasks do it."""
    return http.hold(talk, timeout_s=(PATIENCE_S, PATIENCE_S))


def asynchronous(talk: Talk[Any]) -> Any:
    """As the drain does it."""

    async def hold() -> Any:
        async with AsyncTransport() as transport:
            return await transport.hold(talk, timeout_s=PATIENCE_S)

    return asyncio.run(hold())


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on a call may take a second."""
    monkeypatch.setattr(f"{__name__}.PATIENCE_S", 1.0)


class Stage:
    """The fixtures that promises are tested with; `case` is the heir's to give."""

    @pytest.fixture
    def emulator(self) -> Iterator[Emulator]:
        """Every vendor, with its fault plan, clock, pace and journal."""
        with Emulator() as emulator:
            yield emulator

    @pytest.fixture
    def in_a_hurry(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A call may take a second."""
        hurry(monkeypatch)

    @pytest.fixture(params=[blocking, asynchronous], ids=["blocking", "async"])
    def converse(self, request: pytest.FixtureRequest) -> Hold:
        """Holds a conversation, through each of the two transports."""
        hold: Hold = request.param
        return hold
