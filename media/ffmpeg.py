"""Runs ffmpeg as a child on a leash: it ends in time, when asked to, and when we die.

Command lines hold only file names that we made. Every file from outside is opened through `source`, which lets
ffmpeg read that one file: a playlist or concat script named `.mp4` would otherwise open other files.
"""

import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO

import imageio_ffmpeg  # type: ignore[import-untyped]

from media.errors import RenderFailed

logger = logging.getLogger(__name__)

#: Containers that hold their own media. Missing on purpose: hls, dash, concat, image2, tedcaptions, …
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,wav,w64,mp3,aac,flac,ogg,aiff"
BEAT_S = 2.0

_LEASH = str(Path(__file__).with_name("leash.py"))
_TAIL_BYTES = 600


def source(path: Path, *options: str) -> list[str]:
    """The arguments that open `path` as an input, and nothing beside it."""
    # One thread an input: with dozens of clips, a decoder's frame threads would hold gigabytes of pictures.
    guard = ["-threads", "1", "-format_whitelist", FORMATS, "-protocol_whitelist", "file"]
    return [*guard, *options, "-i", f"file:{path.absolute()}"]


def run(
    arguments: Sequence[str],
    *,
    timeout_s: float,
    beat: Callable[[], None] | None = None,
    folder: Path | None = None,
) -> None:
    """Run ffmpeg in `folder` (ours, where None) until it is done, calling `beat` about every two seconds.

    Raises RenderFailed when it fails or takes longer than `timeout_s`, and whatever `beat` raises. In each of
    these cases, the child and its whole process group are gone by then.
    """
    command = [sys.executable, "-I", "-S", _LEASH, str(os.getpid()), imageio_ffmpeg.get_ffmpeg_exe()]
    command += ["-nostdin", "-hide_banner", "-v", "error", "-y", *arguments]
    with tempfile.TemporaryFile() as stderr:
        child = subprocess.Popen(  # noqa: S603 (a list, and every path is ours)
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            start_new_session=True,
            cwd=folder,
            env={"LC_ALL": "C.UTF-8"},  # it reads files from outside, and needs no key of ours
        )
        try:
            _watch(child, timeout_s=timeout_s, beat=beat)
        finally:
            _end(child)
        if child.returncode != 0:
            raise _explain(child.returncode, stderr)


def _watch(child: subprocess.Popen[bytes], *, timeout_s: float, beat: Callable[[], None] | None) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise RenderFailed(f"The encoder was stopped after its limit of {timeout_s:g} s.")
        try:
            child.wait(min(left, BEAT_S))
        except subprocess.TimeoutExpired:
            if beat is not None:
                beat()
        else:
            return


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill what is left of the child's group."""
    if child.poll() is None:
        # The child is not reaped yet, so its id cannot belong to a stranger.
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _explain(code: int, stderr: IO[bytes]) -> RenderFailed:
    size = stderr.seek(0, os.SEEK_END)
    stderr.seek(max(0, size - _TAIL_BYTES))
    tail = stderr.read().decode(errors="replace")
    logger.warning("ffmpeg ended with %s: %s", code, " | ".join(tail.split("\n")).strip(" |"))
    if "No space left" in tail:
        return RenderFailed("The disk of the worker is full.")
    if code < 0:
        return RenderFailed(f"The encoder was killed by signal {-code}; the worker may be short of memory.")
    return RenderFailed(f"The encoder gave up with exit code {code}.")
