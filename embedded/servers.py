"""Hold real servers for as long as this process needs them.

All processes that name the same data folder share one pair of servers; whoever comes first starts them, and they end
when the last holder is gone, however it went.
"""

import fcntl
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded.binaries import NoServer
from embedded.places import Places, places_of

POSTGRES, VALKEY = "postgres", "valkey"
_ROOT = Path(__file__).resolve().parent.parent
_START_S = 90.0


class Servers:
    """A hold on the servers of one data folder."""

    def __init__(self, data: Path, *, need: tuple[str, ...], ephemeral: bool) -> None:
        self._data = data
        self._need = need
        self._ephemeral = ephemeral
        self._connection, self._urls = _attach(data, need=need, ephemeral=ephemeral)

    @property
    def database_url(self) -> str:
        """What DATABASE_URL would say; KeyError if PostgreSQL was not asked for."""
        return self._urls[POSTGRES]

    @property
    def redis_url(self) -> str:
        """What REDIS_URL would say; KeyError if Valkey was not asked for."""
        return self._urls[VALKEY]

    def start(self, name: str) -> None:
        """Start the server again after stop or kill; it answers when this returns. Raises NoServer."""
        _ask(self._connection, need=[name])

    def stop(self, name: str) -> None:
        """Stop the server for everybody, until somebody starts it. Raises NoServer."""
        _ask(self._connection, stop=name)

    def kill(self, name: str) -> None:
        """As `stop`, without a clean end. Raises NoServer."""
        _ask(self._connection, kill=name)

    def is_held(self) -> bool:
        """False once the keeper is gone, and the servers with it."""
        self._connection.setblocking(False)
        try:
            return self._connection.recv(1) != b""
        except BlockingIOError:
            return True
        except OSError:
            return False
        finally:
            self._connection.setblocking(True)

    def renew(self) -> None:
        """Take hold again after the keeper died; the addresses stay what they were. Raises NoServer."""
        self.release()
        self._connection, self._urls = _attach(self._data, need=self._need, ephemeral=self._ephemeral)

    def release(self) -> None:
        """Let go. The servers end soon if nobody else holds them."""
        self._connection.close()


def hold(data: Path, *, need: tuple[str, ...] = (POSTGRES, VALKEY), ephemeral: bool = False) -> Servers:
    """Start the servers of `data`, or join whoever runs them. Raises NoServer.

    `ephemeral` servers are fast, keep nothing safe, and remove `data` when they end.
    """
    return Servers(data, need=need, ephemeral=ephemeral)


@contextmanager
def running(data: Path, *, need: tuple[str, ...] = (POSTGRES, VALKEY), ephemeral: bool = False) -> Iterator[Servers]:
    """The servers of `data` for the length of a block. Raises NoServer."""
    servers = hold(data, need=need, ephemeral=ephemeral)
    try:
        yield servers
    finally:
        servers.release()


def _attach(data: Path, *, need: tuple[str, ...], ephemeral: bool) -> tuple[socket.socket, dict[str, str]]:
    places = places_of(data)
    end = time.monotonic() + _START_S
    lock = os.open(places.start_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one newcomer at a time, so that one keeper is started
        while time.monotonic() < end:
            connection = _connect(places) or _start_keeper(places, ephemeral=ephemeral)
            try:
                return connection, _ask(connection, need=list(need))
            except NoServer:
                connection.close()
                raise
            except (OSError, ValueError):  # the keeper was just leaving
                connection.close()
    finally:
        os.close(lock)
    raise NoServer(f"The servers of {places.data} did not start; {places.logs} says why.")


def _start_keeper(places: Places, *, ephemeral: bool) -> socket.socket:
    command = [sys.executable, "-m", "embedded.keeper", str(places.data), *(["--ephemeral"] if ephemeral else [])]
    with (places.logs / "keeper.log").open("ab") as log:
        child = subprocess.Popen(  # noqa: S603
            command,
            cwd=_ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )
    while child.poll() is None:
        if connection := _connect(places):
            child.returncode = 0  # it outlives us: Python need not remember it
            return connection
        time.sleep(0.01)
    raise NoServer(f"The keeper of the servers did not start; {places.logs / 'keeper.log'} says why.")


def _connect(places: Places) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX)
    if connection.connect_ex(str(places.keeper_socket)) == 0:
        return connection
    connection.close()
    return None


def _ask(connection: socket.socket, **request: Any) -> dict[str, str]:
    connection.sendall(json.dumps(request).encode() + b"\n")
    line = b""
    while not line.endswith(b"\n"):
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionResetError("the keeper hung up")
        line += piece
    answer: dict[str, str] = json.loads(line)
    if "error" in answer:
        raise NoServer(answer["error"])
    return answer
