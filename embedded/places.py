"""Which files belong to a data folder. Sockets live apart: their path may have 107 bytes at most."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from embedded.binaries import NoServer


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The files of one data folder."""

    data: Path
    sockets: Path

    @property
    def keeper_socket(self) -> Path:
        """Where the keeper answers."""
        return self.sockets / "keeper"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper for as long as it lives."""
        return self.data / "keeper.lock"

    @property
    def start_lock(self) -> Path:
        """Held by whoever looks for a keeper, so that only one is started."""
        return self.data / "start.lock"

    @property
    def logs(self) -> Path:
        """One file a server."""
        return self.data / "log"


def places_of(data: Path) -> Places:
    """The files of `data`, both folders made. Raises NoServer when the sockets' folder is somebody else's."""
    data = data.resolve()
    (data / "log").mkdir(parents=True, exist_ok=True)
    data.chmod(0o700)
    name = hashlib.sha256(os.fsencode(data)).hexdigest()[:12]
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    base = Path(runtime) if runtime and len(runtime) < 60 and os.access(runtime, os.W_OK) else Path("/tmp")  # noqa: S108
    sockets = base / f"zaps-{os.getuid()}-{name}"
    try:
        sockets.mkdir(mode=0o700)
    except FileExistsError:
        found = sockets.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
            raise NoServer(f"{sockets} belongs to somebody else. Remove it, or set XDG_RUNTIME_DIR.") from None
    return Places(data=data, sockets=sockets)
