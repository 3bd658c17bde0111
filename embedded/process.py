"""Children that cannot outlive their parent, and the unprivileged start that PostgreSQL insists on."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import IO, Any

_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_LINUX = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True) if _LINUX else None


def spawn(
    command: Sequence[str | Path],
    *,
    on_orphaned: signal.Signals,
    output: int | IO[bytes] | None,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    unprivileged: bool = False,
) -> subprocess.Popen[bytes]:
    """Start `command` in a session of its own; stdout and stderr go to `output`.

    On Linux the kernel sends it `on_orphaned` when the calling THREAD ends, however it ends: call this from a
    thread that lives as long as the child shall. `unprivileged` hides root from it.
    """
    before, user = _before_exec(on_orphaned, unprivileged=unprivileged)
    return subprocess.Popen(  # noqa: S603
        [str(word) for word in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=dict(env) if env is not None else None,
        cwd=cwd,
        start_new_session=True,
        preexec_fn=before,  # noqa: PLW1509 (it takes no lock and imports nothing)
        **user,
    )


def run_once(command: Sequence[str | Path], *, feed: str = "", unprivileged: bool = False) -> str:
    """Run `command` to its end. Returns "" when it went well, else what it said."""
    before, user = _before_exec(signal.SIGKILL, unprivileged=unprivileged)
    done = subprocess.run(  # noqa: S603
        [str(word) for word in command],
        input=feed,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        preexec_fn=before,
        **user,
    )
    return "" if done.returncode == 0 else done.stdout.strip() or f"it ended with {done.returncode}"


def stop(child: subprocess.Popen[bytes], *, by: signal.Signals, within_s: float) -> None:
    """Send `by`, wait up to `within_s`, then kill. The child is reaped when this returns."""
    if child.poll() is None:
        child.send_signal(by)
    try:
        child.wait(within_s)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def wait_until(ready: Callable[[], bool], *, within_s: float, every_s: float = 0.01) -> bool:
    """Ask `ready` again and again. False when the time is up."""
    end = time.monotonic() + within_s
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(every_s)
    return True


@cache
def needs_nobody() -> bool:
    """Whether we are root and the kernel refuses a user namespace, as some containers do."""
    return _LINUX and os.geteuid() == 0 and not _can_unshare()


def _can_unshare() -> bool:
    pid = os.fork()
    if pid == 0:
        os._exit(1 if _libc is None or _libc.unshare(_CLONE_NEWUSER) else 0)
    return os.waitpid(pid, 0)[1] == 0


def _before_exec(on_orphaned: signal.Signals, *, unprivileged: bool) -> tuple[Callable[[], None], dict[str, Any]]:
    parent = os.getpid()
    hide_root = unprivileged and os.geteuid() == 0
    as_nobody = hide_root and needs_nobody()

    def before() -> None:
        if _libc is None:
            return
        # An unmapped user namespace shows uid 65534 while files stay ours. PDEATHSIG comes after it: changing
        # credentials clears it.
        if hide_root and not as_nobody and _libc.unshare(_CLONE_NEWUSER):
            raise OSError(ctypes.get_errno(), "unshare")
        _libc.prctl(_PR_SET_PDEATHSIG, int(on_orphaned))
        if os.getppid() != parent:  # the parent died before the line above
            os._exit(1)

    # With user=, Python changes credentials before preexec_fn runs, so the order above holds there too.
    user: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if as_nobody else {}
    return before, user
