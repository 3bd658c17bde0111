"""The process behind the fence: makes a child of itself for each look at a file. Run as a script by `media.fence`.

A child gets one request, little memory, little time and nothing of the worker's environment. When its caller hangs up
or its time is over it is killed, and when the worker ends, everything here does.
"""

import ctypes
import gc
import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

MOST_REQUEST = 65_536

_MB = 1_000_000
_MEMORY = 3_000 * _MB  # of addresses; the libraries alone take a third of it
_LARGEST_FILE = 500 * _MB
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


@dataclass(frozen=True)
class _Child:
    pid: int
    ended: int  # a descriptor that can be read once the process has ended
    caller: socket.socket
    ends: float


class _Pen:
    """Forks for each caller that comes through `control`, until that is closed."""

    def __init__(self, control: socket.socket, jobs: Mapping[str, Callable[..., Any]]) -> None:
        self._control, self._jobs = control, jobs
        self._children: set[_Child] = set()
        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def serve(self) -> None:
        while True:
            ready = {fd for fd, _ in self._poll.poll(self._wait_ms())}
            for child in list(self._children):
                if child.caller.fileno() in ready or time.monotonic() > child.ends:
                    os.kill(child.pid, signal.SIGKILL)  # not reaped yet, so its id is no stranger's
                elif child.ended not in ready:
                    continue
                self._bury(child)
            if self._control.fileno() in ready and not self._take_in():
                return

    def _wait_ms(self) -> float | None:
        ends = [child.ends for child in self._children]
        return max(min(ends) - time.monotonic(), 0) * 1000 + 1 if ends else None

    def _take_in(self) -> bool:
        said, descriptors, _, _ = socket.recv_fds(self._control, 32, 1)
        if not descriptors:
            return False
        caller, seconds = socket.socket(fileno=descriptors[0]), float(said)
        pid = os.fork()
        if pid == 0:
            self._control.close()
            for child in self._children:
                child.caller.close()
            _answer(caller, self._jobs, seconds)
        child = _Child(pid, os.pidfd_open(pid), caller, time.monotonic() + seconds)
        self._children.add(child)
        self._poll.register(child.ended, select.POLLIN)
        self._poll.register(caller, 0)  # tells of nothing but that the other side hung up
        return True

    def _bury(self, child: _Child) -> None:
        os.waitpid(child.pid, 0)
        self._poll.unregister(child.ended)
        self._poll.unregister(child.caller)
        os.close(child.ended)
        child.caller.close()
        self._children.remove(child)


def _answer(caller: socket.socket, jobs: Mapping[str, Callable[..., Any]], seconds: float) -> NoReturn:
    """Be the child: read one request, answer it, end. Whatever goes wrong here, nobody but this process suffers."""
    try:
        _confine(seconds)
        request = json.loads(caller.recv(MOST_REQUEST))
        caller.sendall(_done(jobs[request["job"]], request))
    finally:
        os._exit(0)  # no handler of a library that has read the file


def _confine(seconds: float) -> None:
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    cpu_s = int(seconds) + 1
    for what, most in (
        (resource.RLIMIT_AS, _MEMORY),
        (resource.RLIMIT_CPU, cpu_s),
        (resource.RLIMIT_FSIZE, _LARGEST_FILE),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        hard = resource.getrlimit(what)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (limit, limit))


def _done(job: Callable[..., Any], request: Mapping[str, Any]) -> bytes:
    """The answer: a line of JSON, and the bytes whose number it names."""
    from media.errors import MediaError  # noqa: PLC0415 (this file is a script, which must find its folder first)

    content = b""
    try:
        found = job(Path(request["path"]), **request["options"])
    except MediaError as exc:
        said: dict[str, Any] = {"error": exc.code, "detail": exc.detail}
    else:
        content = found if isinstance(found, bytes) else b""
        said = {"found": None if content else found}
    line = json.dumps({**said, "bytes": len(content)}, default=_decimal)
    return line.encode() + b"\n" + content


def _decimal(value: object) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError


def _main() -> None:
    sys.path[:0] = sys.argv[1:]
    from PIL import Image  # noqa: PLC0415

    from media.looks import LOOKS  # noqa: PLC0415

    Image.init()  # all readers now, rather than in each child
    gc.freeze()
    _Pen(socket.socket(fileno=0), LOOKS).serve()


if __name__ == "__main__":
    _main()
