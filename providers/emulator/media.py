"""Real bytes for the emulator's results: small, cheap, and playable."""

import io
import math
import subprocess
import tempfile
import wave
from array import array
from functools import lru_cache
from pathlib import Path

import imageio_ffmpeg  # type: ignore[import-untyped]
from PIL import Image

CONTENT_TYPES = {"png": "image/png", "mp4": "video/mp4", "wav": "audio/wav", "mp3": "audio/mpeg"}
_LONGEST_S = 60.0
_SMALL_S = 2.0


@lru_cache(maxsize=64)
def content(kind: str, seconds: float) -> bytes:
    """A picture, clip or sound of the kind png, mp4, wav or mp3; of so many seconds, at most a minute."""
    seconds = min(max(seconds, 0.1), _LONGEST_S)
    return {"png": _png, "mp4": _mp4, "wav": _wav, "mp3": _mp3}[kind](seconds)


def like(content_type: str) -> tuple[str, bytes]:
    """A small file of the same class of media, and its own content type. Raises KeyError for what is none."""
    kind = {"image": "png", "video": "mp4", "audio": "mp3"}[content_type.partition("/")[0]]
    return CONTENT_TYPES[kind], content(kind, _SMALL_S)


def _png(_seconds: float) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((512, 288)).convert("RGB").save(file, "PNG")
    return file.getvalue()


def _wav(seconds: float) -> bytes:
    rate = 8000
    tone = array("h", (int(8000 * math.sin(i * 2 * math.pi * 220 / rate)) for i in range(int(rate * seconds))))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(tone.tobytes())
    return file.getvalue()


def _mp4(seconds: float) -> bytes:
    sources = ["testsrc2=size=320x180:rate=24", "sine=frequency=330"]
    inputs = [part for source in sources for part in ("-f", "lavfi", "-t", f"{seconds:.3f}", "-i", source)]
    codecs = [
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast",
        "-pix_fmt",
        "yuv420p",
        "-c:a",
        "aac",
        "-movflags",
        "+faststart",
    ]
    return _drawn("clip.mp4", [*inputs, *codecs])


def _mp3(seconds: float) -> bytes:
    tone = ["-f", "lavfi", "-t", f"{seconds:.3f}", "-i", "sine=frequency=330"]
    return _drawn("sound.mp3", [*tone, "-c:a", "libmp3lame", "-b:a", "32k"])


def _drawn(name: str, options: list[str]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="zaps-emulator-") as folder:
        path = Path(folder, name)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *options, "-threads", "1", str(path)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603  # our own arguments only
        return path.read_bytes()
