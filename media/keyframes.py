"""Pictures from a clip, for a person or a model to look at."""

import math
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from media import ffmpeg
from media.errors import RenderFailed, Unreadable
from media.fence import length_s, probe
from media.frames import last_frame

MAX_COUNT = 200

Beat: TypeAlias = Callable[[], None] | None

_TIMEOUT_S = 300


def keyframes(clip: Path, folder: Path, *, count: int, beat: Beat = None) -> list[Path]:
    """Write `count` PNGs, evenly spread over the clip, to `folder`, and return their paths, earliest first.

    The clip is divided into `count` equal parts, and each picture is the middle of one, so that neither a fade-in
    nor a fade-out is shown. A clip of fewer frames repeats some. `beat` is called about every two seconds, and what
    it raises goes on. Raises Unreadable when it is no clip, RenderFailed when the decoder fails, ValueError for a
    count outside 1..200.
    """
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"A clip gives 1 to {MAX_COUNT} keyframes.")
    part_s = float(_length_s(clip)) / count
    return _take(clip, folder, first_s=part_s / 2, every_s=part_s, count=count, beat=beat)


def frames_every(clip: Path, folder: Path, *, every_s: Decimal, beat: Beat = None) -> list[Path]:
    """Write the clip's first picture as a PNG to `folder`, and then one every `every_s` seconds; earliest first.

    Raises as `keyframes` does: ValueError where that would be more than 200 pictures.
    """
    if every_s <= 0:
        raise ValueError("Keyframes are some time apart.")
    count = max(1, math.ceil(_length_s(clip) / every_s))
    if count > MAX_COUNT:
        raise ValueError(f"One picture every {every_s} s would be {count} of them; at most {MAX_COUNT} are taken.")
    return _take(clip, folder, first_s=0, every_s=float(every_s), count=count, beat=beat)


def frame_at(clip: Path, folder: Path, *, at: str, beat: Beat = None) -> list[Path]:
    """Write one picture as a PNG to `folder`: the clip's "first", "middle" or "last". Raises as `keyframes` does."""
    length = float(_length_s(clip))
    if at == "last":
        path = folder / "frame_001.png"
        last_frame(clip, path)
        return [path]
    return _take(clip, folder, first_s={"first": 0, "middle": length / 2}[at], every_s=length, count=1, beat=beat)


def _length_s(clip: Path) -> Decimal:
    if probe(clip).kind != "mp4":
        raise Unreadable("Keyframes are taken from a clip; this is none.")
    return length_s(clip)


def _take(clip: Path, folder: Path, *, first_s: float, every_s: float, count: int, beat: Beat) -> list[Path]:
    # Shifted to the left by that much, the first picture wanted is the one that `fps` begins with.
    spread = (
        f"setpts=PTS-STARTPTS-{first_s:.6f}/TB,tpad=stop_mode=clone:stop_duration={2 * every_s:.6f},"
        f"fps=fps=1/{every_s:.6f}:start_time=0:round=up"
    )
    writer = ["-map", "0:V:0", "-vf", spread, "-frames:v", str(count), "-c:v", "png", "-compression_level", "3"]
    ffmpeg.run(
        [
            *ffmpeg.source(clip),
            *writer,
            "-f",
            "image2",
            "-start_number",
            "1",
            f"file:{folder.absolute()}/frame_%03d.png",
        ],
        timeout_s=_TIMEOUT_S,
        beat=beat,
    )
    paths = [folder / f"frame_{number:03d}.png" for number in range(1, count + 1)]
    if not all(path.exists() for path in paths):
        raise RenderFailed("The clip ended before its last keyframe.")
    return paths
