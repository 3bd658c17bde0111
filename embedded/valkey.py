"""One Valkey server in a folder, on a Unix socket only."""

import signal
import socket
import subprocess
from pathlib import Path
from urllib.parse import quote

from embedded import process
from embedded.binaries import NoServer, valkey_server
from embedded.places import Places

_START_S = 30.0
_STOP_S = 5.0


class Valkey:
    """A broker that belongs to one keeper."""

    name = "valkey"

    def __init__(self, places: Places, *, ephemeral: bool) -> None:
        """`ephemeral` writes nothing to the disk."""
        self._data = places.data / "valkey"
        self._socket = places.sockets / "valkey"
        self._log = places.logs / "valkey.log"
        self._ephemeral = ephemeral
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What REDIS_URL would say."""
        return f"unix://{quote(str(self._socket), safe='/')}"

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        return self._child.pid if self._child and self._child.poll() is None else None

    def start(self) -> None:
        """Start it; it answers when this returns. Raises NoServer."""
        program = valkey_server()
        self._data.mkdir(mode=0o700, exist_ok=True)
        self._socket.unlink(missing_ok=True)
        with self._log.open("ab") as log:
            self._child = process.spawn(
                [program, *self._settings()], on_orphaned=signal.SIGTERM, output=log, cwd=self._data
            )
        if not process.wait_until(self._is_settled, within_s=_START_S) or self.pid is None:
            raise NoServer(f"Valkey did not start; {self._log} says why.")

    def stop(self) -> None:
        """Write everything down and end."""
        if self._child:
            process.stop(self._child, by=signal.SIGTERM, within_s=_STOP_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._child:
            process.stop(self._child, by=signal.SIGKILL, within_s=_STOP_S)

    def _settings(self) -> list[str]:
        # Relative to the working folder, since a path with spaces would be split.
        kept = "no" if self._ephemeral else "yes"
        return [
            *("--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"),
            *("--dir", ".", "--save", "", "--appendonly", kept, "--maxmemory-policy", "noeviction"),
        ]

    def _is_settled(self) -> bool:
        """Ended, or ready: while it loads its data it answers, but not with PONG."""
        return self.pid is None or _pings(self._socket)


def _pings(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
