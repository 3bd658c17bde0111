"""The processes of one installation as one tree: started, watched, started again when they die, ended together."""

import os
import queue
import selectors
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from embedded import presence, process

ROOT = Path(__file__).resolve().parent.parent
_LOOK_S = 0.2
_STOP_S = 4.0
_STEADY_S = 30.0  # who lived this long starts again at once
_LONGEST_PAUSE_S = 10.0

T = TypeVar("T")
Say = Callable[[str, str], None]  # a process's name and one line of what it printed


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One kind of process. `present_as` are the names by which it shows that it is at work (embedded.presence)."""

    name: str
    command: Sequence[str]
    present_as: tuple[str, ...] = ()


def worker(threads: int = 8) -> Role:
    """Steps and media: everything but the drain."""
    queues = ("engine", "results", "media")
    return _celery("worker", "worker", "-Q", ",".join(queues), "-c", str(threads), present_as=queues)


def drain() -> Role:
    """The poller of whatever is due, in a process of its own."""
    return _celery("drain", "worker", "-Q", "drain", "-c", "2", present_as=("drain",))


def beat() -> Role:
    """The clock that rings for the drain."""
    return _celery("beat", "beat", "--pidfile=", present_as=("beat",))


def web(host: str, port: int) -> Role:
    """The HTTP interface."""
    where = ("--host", host, "--port", str(port), "--lifespan", "off", "--timeout-graceful-shutdown", "3")
    quiet = ("--no-access-log", "--log-level", "warning")
    return Role(name="web", command=(sys.executable, "-m", "uvicorn", "config.asgi:application", *where, *quiet))


def _celery(name: str, *words: str, present_as: tuple[str, ...]) -> Role:
    tail = ("-P", "threads", "-n", f"{name}@%h", "--without-gossip", "--without-mingle") if words[0] == "worker" else ()
    return Role(
        name=name,
        command=(sys.executable, "-m", "celery", "-A", "config", "--quiet", *words, *tail),
        present_as=present_as,
    )


@dataclass(slots=True, kw_only=True, eq=False)
class _Post:
    """A role that somebody wants filled, and the process that fills it now."""

    role: Role
    child: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    deaths: int = 0
    rest: bytes = field(default=b"", repr=False)


class Stack:
    """Children of one thread of ours, which lives until `close`: when we are killed, the kernel kills them.

    With `share`, a role that somebody else on this machine fills is left to them, and taken over when they end.
    """

    def __init__(self, *, data: Path, say: Say, env: Mapping[str, str] | None = None, share: bool = False) -> None:
        """`data` is the data folder of the settings; `say` is called from the stack's own thread."""
        self._data = data
        self._say = say
        self._share = share
        # A worker that is asked to end gives its messages back at once instead of finishing them first.
        self._env = {**os.environ, "PYTHONUNBUFFERED": "1", "REMAP_SIGTERM": "SIGQUIT", **(env or {})}
        self._posts: dict[str, _Post] = {}
        self._orders: queue.SimpleQueue[tuple[Callable[[], Any], queue.SimpleQueue[Any]] | None] = queue.SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._bell, self._ear = os.pipe()[::-1]
        self._selector.register(self._ear, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._work, name="stack", daemon=True)
        self._thread.start()

    def __enter__(self) -> "Stack":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def start(self, *roles: Role) -> None:
        """Fill these roles from now on. A role that was stopped or killed is filled again."""
        self._order(lambda: self._fill(roles))

    def stop(self, *names: str) -> None:
        """End these processes, all when none is named, and leave them ended."""
        self._order(lambda: self._end(names or tuple(self._posts)))

    def kill(self, name: str) -> None:
        """SIGKILL the process and leave it dead until `start`."""
        self._order(lambda: self._kill(name))

    def pid(self, name: str) -> int | None:
        """The process that fills the role now; None when it has none."""
        post = self._posts.get(name)
        return post.child.pid if post and post.child and post.child.poll() is None else None

    def wait_present(self, *roles: Role, within_s: float = 60.0) -> bool:
        """Until each of these roles is at work, ours or somebody else's. False when the time is up."""
        return process.wait_until(lambda: not self.absent(*roles), within_s=within_s, every_s=0.05)

    def absent(self, *roles: Role) -> list[str]:
        """The names of those roles that nobody on this machine fills."""
        return [role.name for role in roles if not self._is_present(role)]

    def close(self) -> None:
        """End every process, within seconds, and the thread that watched them."""
        if self._thread.is_alive():
            self.stop()
            self._orders.put(None)
            os.write(self._bell, b".")
            self._thread.join()
            self._selector.close()
            os.close(self._bell)
            os.close(self._ear)

    def _is_present(self, role: Role) -> bool:
        return all(presence.is_present(self._data, name) for name in role.present_as)

    def _order(self, act: Callable[[], T]) -> T:
        """Have the stack's thread do it: only that thread may have children (see process.spawn)."""
        answer: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._orders.put((act, answer))
        os.write(self._bell, b".")
        result = answer.get()
        if isinstance(result, BaseException):
            raise result
        done: T = result
        return done

    def _work(self) -> None:
        while True:
            for key, _ in self._selector.select(_LOOK_S):
                if key.fileobj == self._ear:
                    os.read(self._ear, 4096)
                else:
                    self._read(key.data)
            while not self._orders.empty():
                order = self._orders.get()
                if order is None:
                    return
                act, answer = order
                try:
                    answer.put(act())
                except Exception as exc:  # is the caller's, who waits
                    answer.put(exc)
            for post in self._posts.values():
                self._try_to_look_after(post)

    def _try_to_look_after(self, post: _Post) -> None:
        try:
            self._look_after(post)
        except OSError as exc:  # this machine has no room for it now
            post.start_at = time.monotonic() + _LONGEST_PAUSE_S
            self._tell(post, f"cannot be started: {exc.strerror}")

    def _fill(self, roles: Iterable[Role]) -> None:
        for role in roles:
            post = self._posts.get(role.name)
            if post is None or post.child is None:
                post = self._posts[role.name] = _Post(role=role)
            self._look_after(post)

    def _look_after(self, post: _Post) -> None:
        now = time.monotonic()
        if post.child is not None:
            if post.child.poll() is None:
                return
            self._bury(post)
            post.deaths = 1 if now - post.started_at > _STEADY_S else post.deaths + 1
            pause = min(0.25 * 2.0 ** (post.deaths - 1), _LONGEST_PAUSE_S)
            post.start_at = now + pause
            self._tell(post, f"ended unasked; it starts again in {pause:.2g} s")
        if now < post.start_at:
            return
        if self._share and post.role.present_as and self._is_present(post.role):
            post.start_at = now + 1.0
            return
        post.started_at = now
        # The database is the truth, so nothing is lost by the hard way when we are killed ourselves.
        post.child = process.spawn(
            post.role.command, on_orphaned=signal.SIGKILL, output=subprocess.PIPE, env=self._env, cwd=ROOT
        )
        if post.child.stdout:
            self._selector.register(post.child.stdout, selectors.EVENT_READ, post)

    def _read(self, post: _Post) -> None:
        if post.child is None or post.child.stdout is None:
            return
        piece = os.read(post.child.stdout.fileno(), 65536)
        if not piece:
            self._selector.unregister(post.child.stdout)
            return
        *lines, post.rest = (post.rest + piece).split(b"\n")
        for line in lines:
            self._tell(post, line.decode(errors="replace").rstrip())

    def _tell(self, post: _Post, line: str) -> None:
        with suppress(OSError, ValueError):  # whoever listened is gone; the work goes on, for it ends with this thread
            if line:
                self._say(post.role.name, line)

    def _bury(self, post: _Post) -> None:
        if post.child and post.child.stdout:
            stdout = post.child.stdout
            if stdout in self._selector.get_map():
                # A pipe holds no more than one reading; whoever else has it open is not waited for.
                os.set_blocking(stdout.fileno(), False)
                with suppress(BlockingIOError):
                    self._read(post)
            if stdout in self._selector.get_map():
                self._selector.unregister(stdout)
            self._tell(post, post.rest.decode(errors="replace").rstrip())
            stdout.close()
        post.child, post.rest = None, b""

    def _kill(self, name: str) -> None:
        post = self._posts.pop(name)
        if post.child:
            post.child.kill()
            post.child.wait()
        self._bury(post)

    def _end(self, names: Iterable[str]) -> None:
        posts = [self._posts.pop(name) for name in names if name in self._posts]
        for post in posts:
            if post.child and post.child.poll() is None:
                post.child.terminate()
        end = time.monotonic() + _STOP_S
        while any(post.child and post.child.poll() is None for post in posts) and time.monotonic() < end:
            for key, _ in self._selector.select(0.05):  # a child that cannot print cannot end
                if key.data:
                    self._read(key.data)
        for post in posts:
            if post.child and post.child.poll() is None:
                post.child.kill()
                post.child.wait()
            self._bury(post)
