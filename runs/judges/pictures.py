"""What a model is shown of a file: small JPEGs, as data addresses."""

import base64
import tempfile
from pathlib import Path

from media.fence import thumbnail
from media.keyframes import keyframes
from runs.judges.contract import Sample

FRAMES = 6
_STILL_PIXELS = 1024  # the longer side
_FRAME_PIXELS = 512


def show(sample: Sample) -> list[str]:
    """The still, or the clip as six frames, evenly spaced, earliest first.

    Raises Unreadable or RenderFailed when there is nothing to show, as with a sound.
    """
    if sample.kind == "png":
        return [_data(sample.path, longest=_STILL_PIXELS)]
    with tempfile.TemporaryDirectory(prefix="zaps-judge-") as folder:
        frames = keyframes(sample.path, Path(folder), count=FRAMES)
        return [_data(frame, longest=_FRAME_PIXELS) for frame in frames]


def _data(path: Path, *, longest: int) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(thumbnail(path, longest=longest)).decode()}"
