"""Stills as a film wants them. Read by Pillow, so that ffmpeg only ever sees pictures that we wrote."""

from pathlib import Path

from PIL import Image, ImageOps

from media.errors import Unreadable
from media.probe import STILL_FORMATS


def open_upright(path: Path) -> Image.Image:
    """The picture as RGB, turned as its camera was held, on black where it is transparent.

    Raises Unreadable when it does not decode. Its size must have been checked by `probe` before.
    """
    try:
        with Image.open(path, formats=STILL_FORMATS) as image:
            turned = ImageOps.exif_transpose(image)
            if not turned.has_transparency_data:
                return turned.convert("RGB")
            cut = turned.convert("RGBA")
            ground = Image.new("RGBA", cut.size, (0, 0, 0, 255))
            ground.alpha_composite(cut)
            return ground.convert("RGB")
    # Pillow's readers raise nearly anything on a damaged file: struct.error, SyntaxError, IndexError, …
    except Exception as exc:
        raise Unreadable() from exc


def write_fitted(path: Path, out: Path, *, size: tuple[int, int]) -> None:
    """Write the picture as a PNG of exactly `size`, whole and in the middle, with black bars where shapes differ."""
    ImageOps.pad(open_upright(path), size, method=Image.Resampling.LANCZOS).save(out, "PNG", compress_level=1)
