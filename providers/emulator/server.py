"""The emulator's process: one port a vendor and one for a judge, each with its fault plan, its clock and its journal.

On every port: POST /__emu__/plan {rules: [...]} adds faults, DELETE takes them back, GET shows them; POST
/__emu__/clock {advance_s, freeze}; POST /__emu__/pace {queue_s, run_s, keep_s}; GET and DELETE /__emu__/log.
"""

import asyncio
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from types import TracebackType

from core.registry import Unfit, load_installed
from providers.emulator.comfyui import ComfySheet
from providers.emulator.desk import Desk, Pace, Sheet
from providers.emulator.fal import FalSheet
from providers.emulator.gmi import GmiSheet
from providers.emulator.judge import JudgeSheet
from providers.emulator.openrouter import OpenRouterSheet
from providers.emulator.prodia import ProdiaSheet
from providers.emulator.replay import ReplaySheet
from providers.emulator.replicate import ReplicateSheet
from providers.emulator.runware import RunwareSheet
from providers.emulator.wire import Connection
from providers.registry import base_url_variable
from providers.transcript.page import Transcript

JUDGE = "judge"
INSTALLED = "providers.emulator"  # the entry point group of vendors that other packages play, by their providers' names
SHEETS: dict[str, Callable[[Desk], Sheet]] = {
    "comfyui": ComfySheet,
    "fal": FalSheet,
    "gmi": GmiSheet,
    "openrouter": OpenRouterSheet,
    "prodia": ProdiaSheet,
    "replicate": ReplicateSheet,
    "runware": RunwareSheet,
    JUDGE: JudgeSheet,
}


def variable(name: str) -> str:
    """The environment variable that leads to the port of that name."""
    return "ZAP_JUDGE_URL" if name == JUDGE else base_url_variable(name)


class Emulator:
    """All vendors, in a thread of their own.

    Used with `with`; inside, `urls` has each vendor's base URL and `desks` what steers and watches it.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        queue_s: float = 0.0,
        run_s: float = 0.0,
        keep_s: float | None = None,
        transcripts: Iterable[Transcript] = (),
    ) -> None:
        """`transcripts` take the places of their vendors."""
        self._pace = Pace(queue_s=queue_s, run_s=run_s, keep_s=keep_s)
        self.desks = {name: Desk(make, replace(self._pace)) for name, make in SHEETS.items()}
        load_installed(INSTALLED, self._seat)
        for one in transcripts:
            self.desks[one.provider] = Desk(partial(ReplaySheet, one), replace(self._pace))
        self.urls: dict[str, str] = {}
        self._port = port
        self._servers: list[asyncio.Server] = []
        self._open_connections: set[Connection] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="zaps-emulator", daemon=True)

    def _seat(self, name: str, make: Callable[[Desk], Sheet]) -> None:
        if name in self.desks:
            raise Unfit(f"Somebody plays {name!r} already.")
        self.desks[name] = Desk(make, replace(self._pace))

    def __enter__(self) -> "Emulator":
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        for number, (name, desk) in enumerate(self.desks.items()):
            port = self._port + number if self._port else 0
            connect = partial(Connection, desk.handle, self._open_connections)
            server = await self._loop.create_server(connect, "127.0.0.1", port)
            self._servers.append(server)
            desk.sheet.origin = self.urls[name] = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        for connection in list(self._open_connections):
            connection.abort()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
