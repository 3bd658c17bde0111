"""Real media for the tests, and what a person would see and hear in a file."""

import json
import math
import subprocess
from array import array
from pathlib import Path

import av
import imageio_ffmpeg


def encode(*arguments: str) -> None:
    subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-v", "error", "-nostdin", *arguments], check=True)


def make_clip(
    path: Path,
    *,
    size: str = "160x90",
    fps: int = 24,
    seconds: float = 1,
    color: str = "red",
    sound: str | None = "sine=frequency=440",
    codec: tuple[str, ...] = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"),
) -> Path:
    heard = ["-f", "lavfi", "-i", f"{sound}", "-shortest"] if sound else []
    encode(
        "-f",
        "lavfi",
        "-i",
        f"color={color}:s={size}:r={fps}:d={seconds}",
        *heard,
        *codec,
        "-t",
        f"{seconds}",
        str(path),
    )
    return path


def make_moving(path: Path, *, seconds: float = 2, extra: tuple[str, ...] = ()) -> Path:
    """A silent clip in which everything moves."""
    codec = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
    encode("-f", "lavfi", "-i", f"testsrc2=s=160x90:r=24:d={seconds}", *codec, *extra, str(path))
    return path


def make_steps(path: Path, *, levels: list[int], fps: int = 10) -> Path:
    """A silent clip with one grey frame for each level."""
    raw = path.with_suffix(".gray")
    raw.write_bytes(b"".join(bytes([level]) * 64 * 64 for level in levels))
    picture = ["-f", "rawvideo", "-pix_fmt", "gray", "-video_size", "64x64", "-framerate", str(fps), "-i", str(raw)]
    encode(*picture, "-c:v", "libx264", "-bf", "0", "-pix_fmt", "yuv420p", str(path))
    return path


def make_tone(path: Path, *, seconds: float = 1, hertz: int = 440) -> Path:
    encode("-f", "lavfi", "-i", f"sine=frequency={hertz}:duration={seconds}", str(path))
    return path


def count_frames(path: Path) -> int:
    with av.open(str(path)) as container:
        return sum(1 for _ in container.decode(video=0))


def pixel_at(path: Path, seconds: float) -> tuple[int, int, int]:
    """The colour in the middle of the frame shown at that time."""
    with av.open(str(path)) as container:
        shown = None
        for frame in container.decode(video=0):
            if frame.time is not None and frame.time > seconds:
                break
            shown = frame
        assert shown is not None
        image = shown.to_image()
        return image.getpixel((image.width // 2, image.height // 2))


def loudness(path: Path, *, start: float = 0, end: float = math.inf) -> float:
    """The root mean square of the sound between two moments, 0 to 1."""
    heard = _mono(path)[int(start * 48000) : None if end == math.inf else int(end * 48000)]
    return math.sqrt(sum(level * level for level in heard) / max(1, len(heard))) / 32768


def sound_seconds(path: Path) -> float:
    with av.open(str(path)) as container:
        return sum(frame.samples / frame.sample_rate for frame in container.decode(audio=0))


def tone_level(path: Path, hertz: float, *, start: float, end: float) -> float:
    """How strong one tone is between two moments: its amplitude, 0 to 1."""
    heard = _mono(path)[int(start * 48000) : int(end * 48000)]
    step = 2 * math.pi * hertz / 48000
    real = sum(level * math.cos(step * n) for n, level in enumerate(heard))
    imaginary = sum(level * math.sin(step * n) for n, level in enumerate(heard))
    return 2 * math.hypot(real, imaginary) / len(heard) / 32768


def first_sound(path: Path, *, above: float = 0.03) -> float:
    """The moment, in seconds, at which something can be heard first."""
    return next(n for n, level in enumerate(_mono(path)) if abs(level) > above * 32768) / 48000


def lufs_and_peak(path: Path) -> tuple[float, float]:
    """Integrated loudness in LUFS and true peak in dB, as another meter than ours measures them."""
    meter = ["-i", str(path), "-map", "0:a", "-af", "loudnorm=print_format=json", "-f", "null", "-"]
    said = _said(meter)
    found = json.loads(said[said.rindex("{") : said.rindex("}") + 1])
    return float(found["input_i"]), float(found["input_tp"])


def likeness(film: Path, clip: Path) -> float:
    """How near the film's pictures are to the clip's: their PSNR in dB; more is nearer."""
    meter = ["-i", str(film), "-i", str(clip), "-lavfi", "[0:v][1:v]psnr", "-f", "null", "-"]
    return float(_said(meter).rpartition("average:")[2].split()[0])


def _said(arguments: list[str]) -> str:
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-hide_banner", "-nostats", "-nostdin", *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def _mono(path: Path) -> "array[int]":
    resampler = av.AudioResampler(format="s16", layout="mono", rate=48000)
    samples = array("h")
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            for piece in resampler.resample(frame):
                samples.frombytes(bytes(piece.planes[0])[: piece.samples * 2])
    return samples
