"""Pictures, clips and sounds made from a seed: what the mock provider delivers.

The same arguments give the same bytes, so the content's hash is stable between runs, machines with the same
wheels, and years. Another seed gives another colour, another light and another chord.
"""

import io
import math
import random
import tempfile
import threading
import wave
from array import array
from collections import OrderedDict
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from PIL import Image

from media import ffmpeg
from media.artwork import Scene, draw_label, draw_scene

MAX_DURATION_S = Decimal(60)
MAX_SIDE = 1920
CACHE_BYTES = 64 * 1024 * 1024

_MIN_SIDE = 64
_FPS = 24
_RATE_HZ = 24_000
_LIGHT_SIDE = 128
_LOOP_S = 6  # the light comes back to where it began, so that a long clip costs no more drawing than a short one
#: One thread, and no version or date written: the same bytes every time. Soft light needs no motion search; without
#: it, a clip costs a third less and is no larger.
_ENCODER = (
    *("-c:v", "libx264", "-preset", "veryfast", "-crf", "24", "-pix_fmt", "yuv420p", "-threads", "1"),
    *("-x264-params", "subme=1:rc-lookahead=4:trellis=0:bframes=2"),
    *("-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart", "-map_metadata", "-1"),
    *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-flags:a", "+bitexact"),
)
_TIMEOUT_S = 120
_CHORDS_HZ = ((220, 277, 330), (196, 247, 294), (175, 220, 262), (262, 330, 392), (147, 220, 349), (165, 247, 392))

_Key = tuple[str, str, str, int, int, Decimal]
_cache: "OrderedDict[_Key, bytes]" = OrderedDict()
_cache_lock = threading.Lock()
_making = tuple(threading.Lock() for _ in range(16))


def mock_media(
    kind: str, *, seed: str, label: str = "", width: int = 640, height: int = 360, duration_s: Decimal = Decimal(3)
) -> bytes:
    """A PNG, an MP4 with sound, or a WAV, as `kind` says: "png", "mp4" or "wav".

    Sides are clamped to 64..1920 and made even, the duration to 0.1..60 s; for a kind, what means nothing is
    ignored. Kept in memory, so that asking again is free. Raises ValueError for another kind, RenderFailed when
    the encoder fails.
    """
    if kind not in _MAKERS:
        raise ValueError(f"There is no mock media of kind {kind!r}; there are: {', '.join(_MAKERS)}.")
    key = _normal(kind, seed, label, width, height, duration_s)
    found = _cached(key)
    if found is None:
        # Of many that ask for the same at once, one makes it and the others wait for that.
        with _making[hash(key) % len(_making)]:
            found = _cached(key)
            if found is None:
                found = _MAKERS[kind](key)
                _keep(key, found)
    return found


def _normal(kind: str, seed: str, label: str, width: int, height: int, duration_s: Decimal) -> _Key:
    if kind == "wav":
        label, width, height = "", 0, 0
    else:
        width, height = _side(width), _side(height)
    length = Decimal(0) if kind == "png" else max(Decimal("0.1"), min(MAX_DURATION_S, Decimal(duration_s)))
    return kind, seed, label, width, height, length


def _side(value: int) -> int:
    return max(_MIN_SIDE, min(MAX_SIDE, value)) // 2 * 2


def _cached(key: _Key) -> bytes | None:
    with _cache_lock:
        if key in _cache:
            _cache.move_to_end(key)
        return _cache.get(key)


def _keep(key: _Key, content: bytes) -> None:
    with _cache_lock:
        _cache[key] = content
        while sum(map(len, _cache.values())) > CACHE_BYTES:
            _cache.popitem(last=False)


def _make_png(key: _Key) -> bytes:
    _, seed, label, width, height, _ = key
    scene = Scene.from_seed(seed)
    picture = draw_scene(scene, width=width, height=height, turn=0.0)
    picture.paste(overlay := draw_label(label, width=width, height=height), mask=overlay)
    file = io.BytesIO()
    picture.save(file, "PNG", compress_level=6)
    return file.getvalue()


def _make_mp4(key: _Key) -> bytes:
    _, seed, label, width, height, duration_s = key
    frames = max(1, round(duration_s * _FPS))
    with tempfile.TemporaryDirectory(prefix="zaps-mock-") as folder:
        names = ("light.rgb", "text.png", "bar.png", "chord.wav", "film.mp4")
        light, text, bar, sound, film = (Path(folder, name) for name in names)
        small = _draw_light(light, Scene.from_seed(seed), width=width, height=height, frames=frames)
        draw_label(label, width=width, height=height).save(text, compress_level=1)
        Image.new("RGBA", (width, max(2, height // 90 * 2)), (255, 255, 255, 200)).save(bar)
        sound.write_bytes(_chord(seed, frames * _RATE_HZ // _FPS))
        length = f"{frames / _FPS:.6f}"
        graph = (
            f"[0:v]scale={width}:{height}:flags=bicubic,format=yuv420p[light];"
            f"[light][1:v]overlay=format=yuv420[named];"
            f"[named][2:v]overlay=x='-W+W*(n+1)/{frames}':y=H-h:format=yuv420[out]"
        )
        raw = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-video_size", f"{small[0]}x{small[1]}", "-framerate", str(_FPS)]
        arguments = [*raw, "-stream_loop", "-1", "-i", f"file:{light}"]
        for layer in (text, bar, sound):
            arguments += ["-i", f"file:{layer}"]
        arguments += ["-filter_complex_threads", "1", "-filter_complex", graph, "-map", "[out]", "-map", "3:a"]
        ffmpeg.run(
            [*arguments, "-frames:v", str(frames), "-t", length, *_ENCODER, f"file:{film}"], timeout_s=_TIMEOUT_S
        )
        return film.read_bytes()


def _draw_light(path: Path, scene: Scene, *, width: int, height: int, frames: int) -> tuple[int, int]:
    """Write one loop of the moving light as raw RGB. Drawn small: soft light loses nothing when it is scaled up."""
    scale = max(width, height) / _LIGHT_SIDE
    small = max(8, round(width / scale)), max(8, round(height / scale))
    loop = min(frames, _LOOP_S * _FPS)
    with path.open("wb") as file:
        for frame in range(loop):
            turn = frame / (_LOOP_S * _FPS)
            file.write(draw_scene(scene, width=small[0], height=small[1], turn=turn).tobytes())
    return small


def _make_wav(key: _Key) -> bytes:
    return _chord(key[1], round(key[5] * _RATE_HZ))


def _chord(seed: str, samples: int) -> bytes:
    """A soft chord that fades in and out, 16 bit mono."""
    notes = random.Random(f"chord {seed}").choice(_CHORDS_HZ)  # noqa: S311 (music, not secrets)
    second = _second_of(notes)
    sound = array("h", second * (samples // _RATE_HZ + 1))[:samples]
    fade = min(_RATE_HZ // 3, samples // 2)
    for index in range(fade):
        sound[index] = sound[index] * index // fade
        sound[-1 - index] = sound[-1 - index] * index // fade
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(_RATE_HZ)
        writer.writeframes(sound.tobytes())
    return file.getvalue()


@lru_cache(maxsize=len(_CHORDS_HZ))
def _second_of(notes: tuple[int, ...]) -> "array[int]":
    """One second of the chord. Whole hertz, so that it repeats without a click."""
    sound = array("h")
    for index in range(_RATE_HZ):
        at = 2 * math.pi * index / _RATE_HZ
        swell = 0.8 + 0.2 * math.cos(at)
        level = sum(math.sin(hz * at) + 0.25 * math.sin(2 * hz * at) for hz in notes) / (1.25 * len(notes))
        sound.append(int(9000 * swell * level))
    return sound


_MAKERS = {"png": _make_png, "mp4": _make_mp4, "wav": _make_wav}
