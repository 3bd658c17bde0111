"""Running a step: its own process group, its output as it comes, its end within its time.

Whatever the step has started ends with it: when its process is gone, so is its group.
"""

import codecs
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from flow_worker.commands import Command

GRACE_S = 5.0  # between TERM and KILL
_CHUNK, _LONGEST_LINE = 16 * 1024, 64 * 1024
_LET_GO_S = 2.0  # for pipes that somebody holds who left the group

Write = Callable[[str, str], None]  # stdout or stderr, and a piece of text


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended. `was_stopped`: by us, for another reason than its time."""

    code: int
    is_timed_out: bool
    was_stopped: bool


class Running:
    """One process. `stop` may be called by anybody; `wait` by its owner."""

    def __init__(self, command: Command, write: Write) -> None:
        """Start it. Raises OSError."""
        self._timeout_s = command.timeout_s
        self._ends_at = time.monotonic() + command.timeout_s
        self._stopped = threading.Event()
        self._process = subprocess.Popen(  # noqa: S603 (the step of a flow that this machine has)
            command.words, cwd=command.cwd, env=dict(command.environment), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        self._threads = [
            threading.Thread(target=target, args=args, daemon=True)
            for target, args in (
                (_feed, (self._process.stdin, command.feed)),
                (_read, (self._process.stdout, "stdout", write)),
                (_read, (self._process.stderr, "stderr", write)),
            )
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ask it to end, and make it end when it does not."""
        self._stopped.set()

    def wait(self, *, while_: Callable[[], bool] = lambda: True) -> Ended:
        """Until it has ended, and all that it has started with it. It is stopped when `while_` does not hold."""
        is_timed_out = False
        while self._process.poll() is None:
            if not while_():
                self.stop()
            if self._stopped.wait(0.05):
                break
            if time.monotonic() >= self._ends_at:
                is_timed_out = True
                break
        if self._process.poll() is None:
            self._end()
        self._signal(signal.SIGKILL)
        let_go_at = time.monotonic() + _LET_GO_S
        for thread in self._threads:
            thread.join(max(0.0, let_go_at - time.monotonic()))
        return Ended(
            code=self._process.wait(),
            is_timed_out=is_timed_out,
            was_stopped=self._stopped.is_set() and not is_timed_out,
        )

    def _end(self) -> None:
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass  # nobody is left, or only who has taken another user's rights


def _feed(stdin: IO[bytes], text: bytes) -> None:
    try:
        with stdin:
            stdin.write(text)
    except OSError:
        pass  # it does not want to read


def _read(stream: IO[bytes], kind: str, write: Write) -> None:
    decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
    with stream:
        while chunk := os.read(stream.fileno(), _CHUNK):
            if text := decode(chunk).replace("\0", "\ufffd"):
                write(kind, text)
    if text := decode(b"", final=True):
        write(kind, text)
