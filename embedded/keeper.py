"""The process that owns the servers: it serves whoever is connected, and ends soon after the last one left.

Each holder keeps one connection open. The kernel closes it however the holder ends, so the count is always true. The
keeper's own death takes the servers with it (PDEATHSIG). Requests and answers are lines of JSON:

    {"need": ["postgres", "valkey"]}   start what does not run; {"postgres": URL, "valkey": URL}
    {"stop": "postgres"}               stop it until somebody needs it; {}
    {"kill": "postgres"}               the same, without a clean end; {}

A request that fails is answered with {"error": "a sentence"}.
"""

import fcntl
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from embedded.binaries import NoServer
from embedded.places import Places, places_of
from embedded.postgres import Postgres
from embedded.valkey import Valkey

_FIRST_HOLDER_S = 20.0  # how long to wait for somebody to come at all
_LINGER_S = 1.5  # so that `migrate && createsuperuser` do not start the servers twice
_LOCK_S = 20.0
_LOOK_S = 0.5


class Keeper:
    """Starts servers on request, mends those that died, and stops them all at the end."""

    def __init__(self, places: Places, *, ephemeral: bool) -> None:
        self._places = places
        self._ephemeral = ephemeral
        servers = (Postgres(places, ephemeral=ephemeral), Valkey(places, ephemeral=ephemeral))
        self._servers: dict[str, Postgres | Valkey] = {server.name: server for server in servers}
        self._needed: set[str] = set()
        self._holders: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._asked_to_end = False

    def serve(self) -> None:
        """Until nobody holds the servers any more."""
        signal.signal(signal.SIGTERM, self._end)
        path = self._places.keeper_socket
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(path))
            listener.listen(128)
            self._selector.register(listener, selectors.EVENT_READ, self._welcome)
            try:
                self._loop()
                # From here on a newcomer finds nobody, and starts a keeper that waits for our lock.
                path.unlink(missing_ok=True)
            finally:
                self._stop_all()

    def _loop(self) -> None:
        alone_until = time.monotonic() + _FIRST_HOLDER_S
        while not self._asked_to_end:
            for key, _ in self._selector.select(_LOOK_S):
                answer: Callable[[socket.socket], None] = key.data
                answer(key.fileobj)  # type: ignore[arg-type]
                alone_until = time.monotonic() + _LINGER_S
            self._mend()
            if not self._holders and time.monotonic() > alone_until:
                return

    def _welcome(self, listener: socket.socket) -> None:
        holder, _ = listener.accept()
        self._holders.add(holder)
        self._selector.register(holder, selectors.EVENT_READ, self._hear)

    def _hear(self, holder: socket.socket) -> None:
        try:
            line = holder.recv(4096)  # a request is short and sent at once
            if line:
                holder.sendall(json.dumps(self._answer(json.loads(line))).encode() + b"\n")
                return
        except (OSError, ValueError):
            pass
        self._selector.unregister(holder)
        self._holders.discard(holder)
        holder.close()

    def _answer(self, request: dict[str, Any]) -> dict[str, str]:
        try:
            for name in request.get("need", ()):
                if self._servers[name].pid is None:
                    self._servers[name].start()
                self._needed.add(name)
            for verb in ("stop", "kill"):
                if name := request.get(verb):
                    self._needed.discard(name)
                    getattr(self._servers[name], verb)()
        except (NoServer, OSError) as exc:
            return {"error": str(exc)}
        return {name: self._servers[name].url for name in request.get("need", ())}

    def _mend(self) -> None:
        for name in self._needed:
            if self._servers[name].pid is None:
                print(f"server={name} state=died action=restart", flush=True)
                with suppress(NoServer):  # its log says why; the next look tries again
                    self._servers[name].start()

    def _end(self, *_: object) -> None:
        self._asked_to_end = True

    def _stop_all(self) -> None:
        for server in self._servers.values():
            server.stop()
        shutil.rmtree(self._places.sockets, ignore_errors=True)
        if self._ephemeral:
            shutil.rmtree(self._places.data, ignore_errors=True)


def main(data: Path, *, ephemeral: bool) -> None:
    """Keep the servers of `data`; returns at once when another keeper will not go."""
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # a terminal's signals are for the holders
    places = places_of(data)
    lock = os.open(places.keeper_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    end = time.monotonic() + _LOCK_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > end:
                return
            time.sleep(0.02)
    # An old keeper that ended meanwhile took the sockets' folder with it.
    Keeper(places_of(data), ephemeral=ephemeral).serve()


if __name__ == "__main__":
    main(Path(sys.argv[1]), ephemeral="--ephemeral" in sys.argv[2:])
