import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from providers.emulator.wire import Answer, Connection, Request


class Loopback:
    """A server on loopback that answers as `handle` says, and remembers what it was asked."""

    def __init__(self, handle: Callable[[Request], Answer]) -> None:
        self.requests: list[Request] = []
        self.connections: set[Connection] = set()
        self.opened = 0
        self._handle = handle
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> "Loopback":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(5)
        return self

    def __exit__(self, *exc: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _open(self) -> None:
        self._server = await self._loop.create_server(self._connect, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    def _connect(self) -> Connection:
        self.opened += 1
        return Connection(self._answer, self.connections)

    def _answer(self, request: Request) -> Answer:
        self.requests.append(request)
        return self._handle(request)

    async def _close(self) -> None:
        self._server.close()
        for connection in list(self.connections):
            connection.abort()


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Request], Answer] | Answer], Loopback]]:
    """Starts servers that answer with a function, or always the same."""
    running: list[Loopback] = []

    def serve(handle: Callable[[Request], Answer] | Answer) -> Loopback:
        server = Loopback(handle if callable(handle) else partial(lambda answer, _: answer, handle))
        running.append(server)
        return server.__enter__()

    yield serve
    for server in running:
        server.__exit__()


@pytest.fixture
def closed_port() -> Iterator[str]:
    """An address that is taken, and nobody listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{sock.getsockname()[1]}"
