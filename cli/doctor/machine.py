"""This machine. Nothing here needs a server or a valid setting."""

import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]

from cli.doctor.findings import Finding, fail, ok, warn

OLDEST = (3, 11)
_LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)(\s*;)?", re.MULTILINE)
_TIMEOUT_S = 10
_GB = 1024**3
_TIGHT_BYTES, _FULL_BYTES = 5 * _GB, 1 * _GB


def python() -> Iterator[Finding]:
    """Old enough to be known, new enough to run us."""
    here = f"Python {platform.python_version()}"
    if sys.version_info < OLDEST:
        yield fail("python", f"{here} is too old.", "Install Python 3.11 or newer, and set up again.")
    else:
        yield ok("python", f"{here} at {sys.executable}")


def packages(lock: Path = _LOCK) -> Iterator[Finding]:
    """Are the packages here those that were tested? Only a checkout has a lock file to tell by."""
    if not lock.exists():
        yield ok("packages", "Installed as a package: there is no lock file to compare with.")
        return
    missing, other = _differences(lock.read_text("utf-8"))
    remedy = f"Run any ./dev verb, or: {sys.executable} -m pip install --require-hashes -r {lock.name}"
    if missing:
        yield fail("packages", f"Not installed: {_few(missing)}.", remedy)
    if other:
        yield warn("packages", f"Not the version that was tested: {_few(other)}.", remedy)
    if not missing and not other:
        yield ok("packages", "As the lock file says.")


def _differences(lock: str) -> tuple[list[str], list[str]]:
    wanted: Mapping[str, set[str]] = defaultdict(set)
    conditional: set[str] = set()
    for name, number, condition in _PINNED.findall(lock):
        wanted[name].add(number)
        if condition:
            conditional.add(name)
    missing, other = [], []
    for name, numbers in wanted.items():
        found = _version(name)
        if found is None and name not in conditional:
            missing.append(name)
        elif found is not None and found not in numbers:
            other.append(f"{name} {found}")
    return missing, other


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def ffmpeg() -> Iterator[Finding]:
    """Stitching, keyframes and probes need it."""
    remedy = "Install the wheel imageio-ffmpeg for this platform, or let IMAGEIO_FFMPEG_EXE name an ffmpeg."
    try:
        path = imageio_ffmpeg.get_ffmpeg_exe()
        command = [path, "-hide_banner", "-version"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=True)  # noqa: S603
    except (RuntimeError, OSError, subprocess.SubprocessError):
        yield fail("ffmpeg", "There is no ffmpeg that starts.", remedy)
    else:
        yield ok("ffmpeg", done.stdout.partition("\n")[0].partition(" Copyright")[0])


def disks(folders: Iterable[Path]) -> Iterator[Finding]:
    """Room where we write; folders of one file system count once."""
    seen = set()
    for folder in (*folders, Path(tempfile.gettempdir())):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        device = there.stat().st_dev
        if device not in seen:
            seen.add(device)
            yield _room(folder, shutil.disk_usage(there).free)


def _room(folder: Path, free: int) -> Finding:
    message = f"{free / _GB:.1f} GB are free at {folder}"
    if free >= _TIGHT_BYTES:
        return ok("disk", f"{message}.")
    tell = fail if free < _FULL_BYTES else warn
    remedy = "Make room, move ZAPS_DATA_DIR, or keep media in a bucket (ZAP_STORAGE_URL)."
    return tell("disk", f"Only {message}; films need more.", remedy)


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
