"""Looks at files from outside, behind a fence: a file that crashes, fills or hangs its reader costs one child process.

Each look is made by a child of a process that has no key, no connection and no database (`media.pen`), within limits of
memory and time. What comes back is read as data of known types, since a reader may have been taken over. A look costs a
few milliseconds more than without a fence, so what we drew ourselves is looked at directly.
"""

import atexit
import json
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from media.errors import MediaError, RenderFailed, Unreadable
from media.ffmpeg import BEAT_S
from media.inspect import TIME_LIMIT_S, Inspection
from media.probe import Probe

_PEN = str(Path(__file__).with_name("pen.py"))
_ROOT = str(Path(__file__).parents[1])
_LOOK_S = 30.0
_LONG_LOOK_S = 120.0  # reads a whole file
_MOST_ANSWER = 16_000_000
_GRACE_S = 2.0
_TYPE = re.compile(r"(?:image|video|audio)/[a-z0-9][a-z0-9.+-]{0,40}|application/json")
_KINDS = frozenset({"png", "mp4", "wav", "json"})
_ERRORS = {kind.code: kind for kind in (MediaError, Unreadable, RenderFailed)}
_Beat = Callable[[], None] | None


def probe(path: Path) -> Probe:
    """As `media.probe.probe`."""
    found = _mapping(_ask("probe", path))
    try:
        made = Probe(**{**found, **_decimals(found, "duration_s", "fps")})
    except TypeError:
        raise _nonsense() from None
    if made.kind not in _KINDS or not _TYPE.fullmatch(str(made.content_type)):
        raise _nonsense()
    return made


def length_s(path: Path) -> Decimal:
    """As `media.probe.length_s`."""
    return _decimals({"length": _ask("length_s", path, within_s=_LONG_LOOK_S).found}, "length")["length"] or Decimal(0)


def count_pictures(path: Path) -> int:
    """As `media.probe.count_pictures`."""
    found = _ask("count_pictures", path, within_s=_LONG_LOOK_S).found
    if not isinstance(found, int):
        raise _nonsense()
    return found


def thumbnail(path: Path, *, longest: int = 320) -> bytes:
    """As `media.thumbnail.thumbnail`."""
    return _ask("thumbnail", path, longest=longest).content


def inspect(path: Path, *, beat: _Beat = None, time_limit_s: float = TIME_LIMIT_S) -> Inspection:
    """As `media.inspect.inspect`."""
    found = _mapping(_ask("inspect", path, within_s=time_limit_s + _LOOK_S, beat=beat, time_limit_s=time_limit_s))
    try:
        return Inspection(**{**found, **_decimals(found, "duration_s", "seen_s", "longest_frozen_s")})
    except TypeError:
        raise _nonsense() from None


def write_still(path: Path, out: Path, *, size: tuple[int, int] | None = None) -> None:
    """Write the picture, upright, as a PNG: as it is, or whole and in the middle of `size`. Raises Unreadable."""
    _ask("write_still", path, out=str(out.absolute()), size=size)


@dataclass(frozen=True, slots=True)
class _Answer:
    found: Any
    content: bytes


def _ask(job: str, path: Path, *, within_s: float = _LOOK_S, beat: _Beat = None, **options: Any) -> _Answer:
    """What the child found. Raises what it raised; Unreadable where it died, or took too long."""
    request = json.dumps({"job": job, "path": str(path.absolute()), "options": options}).encode()
    with closing(_PENS.call(within_s)) as line:
        try:
            line.sendall(request)
            said, content = _listen(line, ends=time.monotonic() + within_s + _GRACE_S, beat=beat)
        except OSError:
            raise _died() from None
    if "error" in said:
        kind = _ERRORS.get(str(said["error"]), Unreadable)
        raise kind(str(said.get("detail", ""))[:300])
    return _Answer(said.get("found"), content)


def _listen(line: socket.socket, *, ends: float, beat: _Beat) -> tuple[dict[str, Any], bytes]:
    heard, said, rings = b"", None, time.monotonic() + BEAT_S
    while said is None or len(heard) < said["bytes"]:
        if not select.select([line], [], [], max(min(rings, ends) - time.monotonic(), 0))[0]:
            if time.monotonic() >= ends:
                raise _died()
            rings = time.monotonic() + BEAT_S
            if beat is not None:
                beat()
            continue
        piece = line.recv(262_144)
        heard += piece
        if not piece or len(heard) > _MOST_ANSWER:
            raise _died()
        if said is None and b"\n" in heard:
            head, _, heard = heard.partition(b"\n")
            said = _heading(head)
    return said, heard


def _heading(line: bytes) -> dict[str, Any]:
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        raise _nonsense() from None
    if not isinstance(said, dict) or not isinstance(said.get("bytes"), int):
        raise _nonsense()
    return said


class _Pens:
    """One pen for this process, made when it is first needed, and anew where it is gone or was a parent's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owner = 0
        self._control: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def call(self, within_s: float) -> socket.socket:
        """A line to a new child, which has so long."""
        ours, theirs = socket.socketpair()
        with theirs:
            for _ in range(2):
                try:
                    socket.send_fds(self._open(), [f"{within_s:.3f}".encode()], [theirs.fileno()])
                except OSError:
                    self.close()
                else:
                    return ours
        ours.close()
        raise RenderFailed("The process that looks at files cannot be started.")

    def close(self) -> None:
        """End it, and every look that is going on."""
        with self._lock:
            if self._control is not None:
                self._control.close()
            if self._process is not None and self._owner == os.getpid():
                self._process.kill()
                self._process.wait()
            self._control = self._process = None

    def _open(self) -> socket.socket:
        with self._lock:
            if self._control is None or self._owner != os.getpid():
                self._control, theirs = socket.socketpair(type=socket.SOCK_SEQPACKET)
                with theirs:
                    command = [sys.executable, "-I", _PEN, _ROOT]
                    self._process = subprocess.Popen(  # noqa: S603 (a list, and every word is ours)
                        command,
                        stdin=theirs.fileno(),
                        stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL,  # what libraries say of a file may be the file's own words
                        env={"LC_ALL": "C.UTF-8"},
                        process_group=0,  # Ctrl-C is for the worker, which may still need it
                    )
                self._owner = os.getpid()
            return self._control


_PENS = _Pens()
atexit.register(_PENS.close)


def _mapping(answer: _Answer) -> Mapping[str, Any]:
    if not isinstance(answer.found, dict):
        raise _nonsense()
    return answer.found


def _decimals(found: Mapping[str, Any], *names: str) -> dict[str, Decimal | None]:
    try:
        return {name: None if found.get(name) is None else Decimal(str(found[name])) for name in names}
    except InvalidOperation:
        raise _nonsense() from None


def _died() -> Unreadable:
    return Unreadable("The file cannot be read within our limits of memory and time.")


def _nonsense() -> Unreadable:
    return Unreadable("What reads the file was led astray by it.")
