"""One PostgreSQL cluster in a folder, on a Unix socket only."""

import os
import shutil
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from embedded import process
from embedded.binaries import NoServer, postgres_bin
from embedded.places import Places

DATABASE = "zaps"
_START_S = 60.0  # recovery after a crash may take a while
_STOP_S = 10.0


class Postgres:
    """A cluster that belongs to one keeper."""

    name = "postgres"

    def __init__(self, places: Places, *, ephemeral: bool) -> None:
        """`ephemeral` gives durability up for speed: for data that nobody will miss."""
        self._data = places.data / "pg"
        self._sockets = places.sockets / "pg"
        self._log = places.logs / "postgres.log"
        self._ephemeral = ephemeral
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What DATABASE_URL would say."""
        return f"postgresql://postgres@/{DATABASE}?host={quote(str(self._sockets), safe='/')}"

    @property
    def pid(self) -> int | None:
        """None while it does not run."""
        return self._child.pid if self._child and self._child.poll() is None else None

    def start(self) -> None:
        """Make the cluster if need be and start it; it answers when this returns. Raises NoServer."""
        bin_dir = postgres_bin()
        self._sockets.mkdir(mode=0o700, exist_ok=True)
        self._let_nobody_in()
        if not (self._data / "PG_VERSION").exists():
            self._make_cluster(bin_dir)
        self._check_version(bin_dir)
        self._forget_dead_postmaster()
        with self._log.open("ab") as log:
            self._child = process.spawn(
                [bin_dir / "postgres", "-D", self._data, "-k", self._sockets, *self._settings()],
                on_orphaned=signal.SIGINT,
                output=log,
                unprivileged=True,
            )
        if not process.wait_until(self._is_settled, within_s=_START_S) or self.pid is None:
            raise NoServer(f"PostgreSQL did not start; {self._log} says why.")

    def stop(self) -> None:
        """Disconnect everybody, write everything down and end."""
        if self._child:
            process.stop(self._child, by=signal.SIGINT, within_s=_STOP_S)

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._child:
            process.stop(self._child, by=signal.SIGQUIT, within_s=_STOP_S)

    def _settings(self) -> list[str]:
        settings = {
            "listen_addresses": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "log_line_prefix": "%m [%p] ",
        }
        if self._ephemeral:
            # A commit still reaches the kernel before it is answered: it survives our death, not the machine's.
            settings |= {"fsync": "off", "full_page_writes": "off"}
        return [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]

    def _make_cluster(self, bin_dir: Path) -> None:
        # Built beside and renamed, so that a start that is cut short leaves nothing half made.
        new = self._data.with_name("pg.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        self._let_nobody_in()
        how = ["-U", "postgres", "-A", "trust", "--locale=C.UTF-8", "-E", "UTF8"]
        how += ["--no-sync"] if self._ephemeral else []
        said = process.run_once([bin_dir / "initdb", "-D", new, *how], unprivileged=True)
        if not said:
            alone: list[str | Path] = [bin_dir / "postgres", "--single", "-D", new, "postgres"]
            said = process.run_once(alone, feed=f"CREATE DATABASE {DATABASE};\n", unprivileged=True)
        if said:
            raise NoServer(f"PostgreSQL could not make its folder {self._data}: {said.splitlines()[-1]}")
        new.rename(self._data)

    def _check_version(self, bin_dir: Path) -> None:
        made_by = (self._data / "PG_VERSION").read_text().strip()
        said = subprocess.run(  # noqa: S603
            [bin_dir / "postgres", "-V"], capture_output=True, text=True, check=False
        ).stdout.split()
        if said and said[2].split(".")[0] != made_by:
            raise NoServer(
                f"{self._data} was made by PostgreSQL {made_by}, but {bin_dir} holds {said[2]}. Name the older one "
                "in ZAPS_PG_BIN and move the data over with pg_dump, or remove the folder."
            )

    def _is_settled(self) -> bool:
        """Ended, or ready: PostgreSQL writes `ready` on the last line of postmaster.pid, then serves the socket."""
        if self.pid is None:
            return True
        with suppress(OSError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return len(lines) >= 8 and lines[7].strip() == "ready" and _answers(self._sockets / ".s.PGSQL.5432")
        return False

    def _forget_dead_postmaster(self) -> None:
        """Wait for an orphan to finish its shutdown; drop the pid file of one whose number is somebody else's now."""
        note = self._data / "postmaster.pid"

        def is_gone() -> bool:
            try:
                pid = int(note.read_text().split()[0])
                return os.fsencode(self._data) not in Path(f"/proc/{pid}/cmdline").read_bytes()
            except (OSError, ValueError, IndexError):
                return True

        if not process.wait_until(is_gone, within_s=_STOP_S):
            raise NoServer(f"Another PostgreSQL still works on {self._data}. Stop it first.")
        if Path("/proc/self/cmdline").exists():
            note.unlink(missing_ok=True)

    def _let_nobody_in(self) -> None:
        if not process.needs_nobody():
            return
        for folder in (self._data, self._data.with_name("pg.new"), self._sockets):
            folder.parent.chmod(0o711)
            if folder.exists():
                shutil.chown(folder, "nobody", "nogroup")
        closed = [parent for parent in self._data.parents if not parent.stat().st_mode & 0o001]
        if closed:
            raise NoServer(
                "PostgreSQL does not run as root, and this container forbids user namespaces; the user `nobody` "
                f"cannot enter {closed[-1]}. Set ZAPS_DATA_DIR to a folder that all may enter, or set DATABASE_URL."
            )


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        return client.connect_ex(str(path)) == 0
