"""What is inside a file that came from outside: judged by its bytes, never by its name or a header.

Nothing but the file itself is opened, whatever it says. Safe in any thread; a few milliseconds a file.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream
from PIL import Image

from media.errors import Unreadable
from media.ffmpeg import FORMATS

MAX_STILL_PIXELS = 50_000_000
MAX_VIDEO_SIDE = 8192
MAX_DURATION_S = 3600
MAX_JSON_BYTES = 5_000_000

#: The options that every av.open of a file from outside gets.
GUARD = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}

STILL_FORMATS = ["PNG", "JPEG", "WEBP", "GIF", "AVIF", "BMP", "TIFF"]
_FAMILIES = {  # ffmpeg's name of the container: (type with a picture, type with sound alone)
    "mov,mp4,m4a,3gp,3g2,mj2": ("video/mp4", "audio/mp4"),
    "matroska,webm": ("video/x-matroska", "audio/x-matroska"),
    "avi": ("video/x-msvideo", "audio/x-msvideo"),
    "mpegts": ("video/mp2t", "audio/mp2t"),
    "ogg": ("video/ogg", "audio/ogg"),
    "wav": ("audio/wav", "audio/wav"),
    "w64": ("audio/wav", "audio/wav"),
    "mp3": ("audio/mpeg", "audio/mpeg"),
    "aac": ("audio/aac", "audio/aac"),
    "flac": ("audio/flac", "audio/flac"),
    "aiff": ("audio/aiff", "audio/aiff"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a file holds. `kind` is the media class: png for any still, mp4 for any clip, wav for any sound, json.

    `content_type` is the true type. `width` and `height` are as shown, rotation applied; None without a picture.
    `duration_s` is that of the picture (of the sound, where there is no picture), to the millisecond; None for
    stills and JSON. `fps` is the average rate of a clip.
    """

    kind: str
    content_type: str
    width: int | None = None
    height: int | None = None
    duration_s: Decimal | None = None
    has_sound: bool = False
    fps: Decimal | None = None


def probe(path: Path) -> Probe:
    """Look inside the file, decoding its first frame.

    Raises Unreadable when it is empty, damaged, no media, or beyond a limit.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as exc:
        raise Unreadable("The file is not there or may not be read.") from exc
    if not head:
        raise Unreadable("The file is empty.")
    if head.lstrip()[:1] in (b"{", b"["):
        return _probe_json(path)
    if is_still(head):
        return _probe_still(path)
    return _probe_stream(path, head)


def length_s(path: Path) -> Decimal:
    """How long the picture of a clip lasts, counted from the container's start, by its packets.

    Slower than `probe` (it reads the whole file) and right where a header is missing or speaks of the sound.
    """
    try:
        with av.open(str(path), options=GUARD) as container:
            stream = moving_picture(container)
            if stream is None:
                raise Unreadable("The file has no picture.")
            start = Decimal(container.start_time or 0) / av.time_base
            return _end_of(container.demux(stream)) - start
    except av.FFmpegError as exc:
        raise Unreadable() from exc


def count_pictures(path: Path) -> int:
    """How many pictures a clip really holds, by its packets; nothing is decoded. Raises Unreadable."""
    try:
        with av.open(str(path), options=GUARD) as container:
            stream = moving_picture(container)
            if stream is None:
                raise Unreadable("The file has no picture.")
            return sum(1 for packet in container.demux(stream) if packet.size)
    except av.FFmpegError as exc:
        raise Unreadable() from exc


def _end_of(packets: "Iterable[av.Packet[Any]]") -> Decimal:
    """The moment at which the last picture ends, in seconds."""
    end = Decimal(0)
    for packet in packets:
        if packet.pts is None or packet.time_base is None:
            continue
        base = packet.time_base
        ticks = packet.pts + (packet.duration or 0)
        end = max(end, Decimal(ticks) * base.numerator / base.denominator)
    return end


def _probe_json(path: Path) -> Probe:
    if path.stat().st_size > MAX_JSON_BYTES:
        raise Unreadable(f"The JSON is larger than {MAX_JSON_BYTES // 1_000_000} MB.")
    try:
        json.loads(path.read_bytes())
    except (ValueError, RecursionError) as exc:
        raise Unreadable("The file looks like JSON and is not.") from exc
    return Probe(kind="json", content_type="application/json")


def is_still(head: bytes) -> bool:
    """Whether a file that begins so is a picture of a kind that we take."""
    starts = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\x00", b"MM\x00*")
    webp = head[:4] == b"RIFF" and head[8:12] == b"WEBP"
    avif = head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis")
    return head.startswith(starts) or webp or avif


def _probe_still(path: Path) -> Probe:
    try:
        width, height, content_type = _decode_still(path)
    except Unreadable:
        raise
    # Pillow's readers raise nearly anything on a damaged file: struct.error, SyntaxError, IndexError, …
    except Exception as exc:
        raise Unreadable() from exc
    return Probe(kind="png", content_type=content_type, width=width, height=height)


def _decode_still(path: Path) -> tuple[int, int, str]:
    with Image.open(path, formats=STILL_FORMATS) as image:
        width, height = image.size
        if width * height > MAX_STILL_PIXELS:
            raise Unreadable(f"The picture has more than {MAX_STILL_PIXELS // 1_000_000} megapixels.")
        content_type = image.get_format_mimetype() or f"image/{str(image.format).lower()}"
        if image.format == "PNG":
            image.verify()  # checks every chunk's sum: as good as decoding, and three times as fast
            return width, height, content_type
        if image.getexif().get(_ORIENTATION, 1) >= _FIRST_SIDEWAYS:
            width, height = height, width
        image.draft("RGB", (256, 256))  # JPEG decodes at an eighth of the cost; others ignore it
        image.load()
        return width, height, content_type


_ORIENTATION = 0x0112  # Exif
_FIRST_SIDEWAYS = 5  # orientations 5 to 8 turn the picture by a quarter


def _probe_stream(path: Path, head: bytes) -> Probe:
    try:
        with av.open(str(path), options=GUARD) as container:
            _refuse_cut(container, path.stat().st_size)
            picture = moving_picture(container)
            if picture is not None:
                return _probe_clip(container, picture, head)
            return _probe_sound(container, head)
    except (av.FFmpegError, StopIteration) as exc:
        raise Unreadable() from exc


def _refuse_cut(container: InputContainer, size_bytes: int) -> None:
    """A download that broke off opens well where the index stands at the front; the index knows better."""
    for stream in (*container.streams.video, *container.streams.audio):
        entries = stream.index_entries
        if len(entries) and entries[-1].pos + entries[-1].size > size_bytes:
            raise Unreadable("The file is cut off: it ends before the last of its pictures or sounds.")


def moving_picture(container: InputContainer) -> VideoStream | None:
    """The first picture that moves: the cover of a song is no clip."""
    covers = Disposition.attached_pic | Disposition.timed_thumbnails
    return next((stream for stream in container.streams.video if not stream.disposition & covers), None)


def _probe_clip(container: InputContainer, stream: VideoStream, head: bytes) -> Probe:
    if max(stream.width, stream.height) > MAX_VIDEO_SIDE:
        raise Unreadable(f"The clip has a side of more than {MAX_VIDEO_SIDE} pixels.")
    stream.codec_context.thread_count = 1
    frame = next(container.decode(stream))
    width, height = shown_size(frame)
    rate = stream.average_rate or stream.guessed_rate
    return Probe(
        kind="mp4",
        content_type=_content_type(container, head, moving=True),
        width=width,
        height=height,
        duration_s=_duration(container, stream),
        has_sound=bool(container.streams.audio),
        fps=None if not rate else _rounded(Decimal(rate.numerator) / rate.denominator),
    )


def shown_size(frame: av.VideoFrame) -> tuple[int, int]:
    """Width and height as a viewer sees them."""
    # The header's size is the coded one; phones turn it by a matrix that only the frame tells.
    sideways = frame.rotation % 180 != 0
    return (frame.height, frame.width) if sideways else (frame.width, frame.height)


def _probe_sound(container: InputContainer, head: bytes) -> Probe:
    if not container.streams.audio:
        raise Unreadable()
    stream = container.streams.audio[0]
    next(container.decode(stream))
    return Probe(
        kind="wav",
        content_type=_content_type(container, head, moving=False),
        duration_s=_duration(container, stream),
        has_sound=True,
    )


def _duration(container: InputContainer, stream: av.VideoStream | av.AudioStream) -> Decimal:
    seconds = promised_s(container, stream)
    if seconds is None:  # a browser's recording has no header that says
        seconds = _rounded(_end_of(container.demux(stream)))
    if seconds > MAX_DURATION_S:
        raise Unreadable(f"It lasts longer than {MAX_DURATION_S // 60} minutes.")
    return seconds


def promised_s(container: InputContainer, stream: av.VideoStream | av.AudioStream) -> Decimal | None:
    """How long the stream lasts as the headers say, in seconds; None where they say nothing."""
    if stream.duration is not None and stream.time_base is not None:
        return _rounded(Decimal(stream.duration) * stream.time_base.numerator / stream.time_base.denominator)
    if container.duration is not None:
        return _rounded(Decimal(container.duration) / av.time_base)
    return None


def _rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.001"))


def _content_type(container: InputContainer, head: bytes, *, moving: bool) -> str:
    name = container.format.name
    if name == "matroska,webm" and b"webm" in head[:64]:
        return "video/webm" if moving else "audio/webm"
    if name.startswith("mov") and head[4:12] == b"ftypqt  ":
        return "video/quicktime"
    return _FAMILIES[name][0 if moving else 1]
