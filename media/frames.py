"""The frame that the next clip begins with."""

import uuid
from pathlib import Path

from media import ffmpeg
from media.errors import RenderFailed, Unreadable
from media.fence import probe, write_still

_TIMEOUT_S = 120
#: How far before the end to begin: all of a slow clip's last frames are in half a second, save where the sound
#: outlasts the picture; then the whole clip is read.
_SEEKS = (("-sseof", "-0.5"), ())


def last_frame(clip: Path, out: Path) -> None:
    """Write the last picture of the clip as a PNG to `out`; a still is its own last picture.

    Raises Unreadable when there is no picture, RenderFailed when the decoder fails.
    """
    kind = probe(clip).kind
    unfinished = out.with_name(f".{out.name}.{uuid.uuid4().hex}.part")
    try:
        if kind == "png":
            write_still(clip, unfinished)
        elif kind == "mp4":
            _write_last(clip, unfinished)
        else:
            raise Unreadable("A sound has no last frame.")
        unfinished.replace(out)
    finally:
        unfinished.unlink(missing_ok=True)


def _write_last(clip: Path, out: Path) -> None:
    for seek in _SEEKS:
        # -update keeps overwriting one picture, so that what stays is the last one there is.
        # -compression_level: those that are overwritten should cost little.
        writer = ["-map", "0:V:0", "-c:v", "png", "-compression_level", "1", "-f", "image2", "-update", "1"]
        ffmpeg.run([*ffmpeg.source(clip, *seek), *writer, f"file:{out}"], timeout_s=_TIMEOUT_S)
        if out.exists():
            return
    raise RenderFailed("The clip has no last frame that decodes.")
