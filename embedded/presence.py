"""Who is at work on a data folder: each worker holds a shared lock that the kernel drops when it dies."""

import fcntl
import os
from pathlib import Path

_held: list[int] = []


def announce(data: Path, name: str) -> None:
    """Be present as `name` until this process ends. Raises OSError where the folder cannot be written."""
    handle = _open(data, name)
    fcntl.flock(handle, fcntl.LOCK_SH)
    _held.append(handle)


def is_present(data: Path, name: str) -> bool:
    """Whether any process is present as `name` on this machine."""
    handle = _open(data, name)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _open(data: Path, name: str) -> int:
    folder = data / "present"
    folder.mkdir(parents=True, exist_ok=True)
    return os.open(folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
