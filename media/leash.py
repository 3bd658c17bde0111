"""Becomes the command in its arguments, which dies when its parent does. Run as a script, never imported.

A `preexec_fn` would do the same, but runs Python between fork and exec, which can deadlock a threaded worker.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1

if __name__ == "__main__":
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    # A parent that died before the call above can no longer send the signal.
    if os.getppid() != int(sys.argv[1]):
        sys.exit(1)
    os.execv(sys.argv[2], sys.argv[2:])  # noqa: S606 (no shell is the point)
