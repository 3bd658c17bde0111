"""Small pictures for lists and the admin."""

import io
from pathlib import Path

import av
from PIL import Image

from media.errors import Unreadable
from media.probe import GUARD, moving_picture, probe
from media.still import open_upright


def thumbnail(path: Path, *, longest: int = 320) -> bytes:
    """A JPEG of the still, or of the clip's first frame, whose longer side has at most `longest` pixels.

    Raises Unreadable when the file has no picture.
    """
    kind = probe(path).kind
    if kind == "png":
        picture = open_upright(path)
    elif kind == "mp4":
        picture = _first_frame(path)
    else:
        raise Unreadable("A sound has no picture.")
    picture.thumbnail((longest, longest))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=82, optimize=True)
    return file.getvalue()


def _first_frame(path: Path) -> Image.Image:
    try:
        with av.open(str(path), options=GUARD) as container:
            stream = moving_picture(container)
            if stream is None:
                raise Unreadable("The file has no picture.")
            stream.codec_context.thread_count = 1
            frame = next(container.decode(stream))
            picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
            return picture.rotate(frame.rotation, expand=True)
    except (av.FFmpegError, StopIteration) as exc:
        raise Unreadable() from exc
