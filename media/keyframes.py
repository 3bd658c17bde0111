"""Pictures from a clip, for a person or a model to look at."""

from pathlib import Path

from media import ffmpeg
from media.errors import RenderFailed, Unreadable
from media.probe import length_s, probe

MAX_COUNT = 200

_TIMEOUT_S = 300


def keyframes(clip: Path, folder: Path, *, count: int) -> list[Path]:
    """Write `count` PNGs, evenly spread over the clip, to `folder`, and return their paths, earliest first.

    The clip is divided into `count` equal parts, and each picture is the middle of one, so that neither a fade-in
    nor a fade-out is shown. A clip of fewer frames repeats some. Raises Unreadable when it is no clip,
    RenderFailed when the decoder fails, ValueError for a count outside 1..200.
    """
    if not 1 <= count <= MAX_COUNT:
        raise ValueError(f"A clip gives 1 to {MAX_COUNT} keyframes.")
    if probe(clip).kind != "mp4":
        raise Unreadable("Keyframes are taken from a clip; this is none.")
    part_s = float(length_s(clip)) / count
    # Shifted half a part to the left, the picture in the middle of each part is the one that `fps` takes.
    spread = (
        f"setpts=PTS-STARTPTS-{part_s / 2:.6f}/TB,tpad=stop_mode=clone:stop_duration={2 * part_s:.6f},"
        f"fps=fps=1/{part_s:.6f}:start_time=0:round=up"
    )
    writer = ["-map", "0:V:0", "-vf", spread, "-frames:v", str(count), "-c:v", "png", "-compression_level", "3"]
    ffmpeg.run(
        [*ffmpeg.source(clip), *writer, "-f", "image2", "-start_number", "1", f"file:{folder}/frame_%03d.png"],
        timeout_s=_TIMEOUT_S,
    )
    paths = [folder / f"frame_{number:03d}.png" for number in range(1, count + 1)]
    if not all(path.exists() for path in paths):
        raise RenderFailed("The clip ended before its last keyframe.")
    return paths
