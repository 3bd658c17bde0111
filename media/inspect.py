"""An honest look at a file, for whoever judges it: what can be measured without taste.

Every number is measured on decoded pictures and sounds, never taken from a header, save the length that a file
promises. The work is bounded: long clips are sampled, and a look that runs out of time says how far it came.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

from media.errors import Unreadable
from media.ffmpeg import BEAT_S
from media.hearing import Hearing
from media.probe import GUARD, is_still, moving_picture, probe, promised_s, shown_size
from media.sight import Sight, Sighting, small_picture
from media.still import open_upright

#: A clip that promises more is looked at by its key frames alone (about one a second); its sound always in full.
EVERY_FRAME_S = 180
TIME_LIMIT_S = 60.0

_SLACK = Decimal("0.5")  # headers round, and sound is padded: this many seconds may be missing


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What was found. Shares and brightness are 0 to 1; None: the file has no such thing, or none that decodes.

    `kind` is the media class: png for any still, mp4 for any clip, wav for any sound. A picture is black where 98 %
    of it is darker than a tenth of white; flat where it is nearly one colour (a clip: from start to end). The frozen
    stretch is the longest time without a change that an eye would see. Silent is what stays under -50 dBFS; where
    the sound of a clip ends before its picture, the rest is silent.
    """

    kind: str
    width: int | None = None  # as shown, rotation applied
    height: int | None = None
    duration_s: Decimal | None = None  # as promised by the file; what was seen, where it promises nothing
    seen_s: Decimal | None = None  # how far the look came
    has_every_frame: bool = True  # False: sampled by its key frames
    is_complete: bool = True  # False: the time limit ended the look
    decode_errors: int = 0  # pieces of picture or sound that are damaged
    black_share: float | None = None
    longest_frozen_s: Decimal | None = None
    brightness: float | None = None  # mean over picture and time
    is_flat: bool | None = None
    has_audio: bool = False
    silent_share: float | None = None

    @property
    def decodes(self) -> bool:
        """Whether all that was looked at is undamaged, and nothing of what the file promises is missing."""
        if self.decode_errors:
            return False
        if self.duration_s is None or self.seen_s is None or not self.is_complete:
            return True
        return self.seen_s >= self.duration_s - max(_SLACK, self.duration_s / 50)


def inspect(path: Path, *, beat: Callable[[], None] | None = None, time_limit_s: float = TIME_LIMIT_S) -> Inspection:
    """Look at the whole file; for at most about `time_limit_s`, calling `beat` about every two seconds.

    Whatever `beat` raises ends the look and goes on. Raises Unreadable when nothing in the file is a still, clip or
    sound that decodes; a file that is damaged in part is inspected, and its `decode_errors` counted.
    """
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as exc:
        raise Unreadable("The file is not there or may not be read.") from exc
    if is_still(head):
        return _inspect_still(path)
    try:
        with av.open(str(path), options=GUARD) as container:
            return _Look(container, _Watch(beat, time_limit_s)).inspect()
    except av.FFmpegError as exc:
        raise Unreadable() from exc


def _inspect_still(path: Path) -> Inspection:
    found = probe(path)
    sight = Sighting.of(small_picture(open_upright(path)))
    return Inspection(
        kind="png",
        width=found.width,
        height=found.height,
        black_share=float(sight.is_black),
        brightness=sight.brightness,
        is_flat=sight.is_flat,
    )


class _Watch:
    """Rings the beat and knows when the time is up."""

    def __init__(self, beat: Callable[[], None] | None, limit_s: float) -> None:
        now = time.monotonic()
        self._beat, self._next, self._end = beat, now + BEAT_S, now + limit_s

    def is_over(self) -> bool:
        now = time.monotonic()
        if self._beat is not None and now >= self._next:
            self._next = now + BEAT_S
            self._beat()
        return now >= self._end


class _Look:
    """One pass over a container, packet by packet, pictures and sound together."""

    def __init__(self, container: InputContainer, watch: _Watch) -> None:
        self._container, self._watch = container, watch
        self._picture = moving_picture(container)
        self._sound = container.streams.audio[0] if container.streams.audio else None
        self._sight, self._hearing = Sight(), Hearing()
        self._size: tuple[int, int] | None = None
        self._end_s = 0.0  # of the last packet with pictures, decoded or not
        self._errors = 0

    def inspect(self) -> Inspection:
        streams = [stream for stream in (self._picture, self._sound) if stream is not None]
        if not streams:
            raise Unreadable()
        promised = promised_s(self._container, streams[0])
        sampled = self._picture is not None and promised is not None and promised > EVERY_FRAME_S
        if self._picture is not None:
            self._picture.codec_context.thread_count = 1
            self._picture.codec_context.skip_frame = "NONKEY" if sampled else "DEFAULT"
        complete = self._read(streams)
        self._sight.end(self._end_s if sampled else 0.0)
        if not self._sight.looks and not self._hearing.heard_s:
            raise Unreadable()
        return self._result(promised, is_sampled=sampled, is_complete=complete)

    def _read(self, streams: list[VideoStream | AudioStream]) -> bool:
        """Decode and measure everything; False when the time was up first."""
        for frame in self._frames(streams):
            if isinstance(frame, av.VideoFrame):
                self._size = self._size or shown_size(frame)
                self._sight.see(frame)
            else:
                self._hearing.hear(frame)
            if self._watch.is_over():
                return False
        return True

    def _frames(self, streams: list[VideoStream | AudioStream]) -> Iterator[av.VideoFrame | av.AudioFrame]:
        packets = self._container.demux(streams)
        while True:
            try:
                packet = next(packets)
                damaged = packet.is_corrupt
                self._note_end(packet)
                frames = packet.decode()
            except StopIteration:
                return
            except av.EOFError:
                return
            except av.FFmpegError:
                self._errors += 1
                continue
            for frame in frames:
                if isinstance(frame, av.VideoFrame | av.AudioFrame):
                    damaged = damaged or frame.is_corrupt
                    yield frame
            self._errors += damaged

    def _note_end(self, packet: "av.Packet[Any]") -> None:
        if packet.stream is self._picture and packet.pts is not None and packet.time_base is not None:
            end = (packet.pts - (self._picture.start_time or 0) + (packet.duration or 0)) * packet.time_base
            self._end_s = max(self._end_s, float(end))

    def _result(self, promised: Decimal | None, *, is_sampled: bool, is_complete: bool) -> Inspection:
        has_picture, saw = self._picture is not None, bool(self._sight.looks)
        seen = self._sight.seen_s if has_picture else self._hearing.heard_s
        width, height = self._size or (None, None)
        return Inspection(
            kind="mp4" if has_picture else "wav",
            width=width,
            height=height,
            duration_s=promised if promised is not None else _milli(seen),
            seen_s=_milli(seen),
            has_every_frame=not is_sampled,
            is_complete=is_complete,
            decode_errors=self._errors,
            black_share=self._sight.black_share if saw else None,
            longest_frozen_s=_milli(self._sight.longest_frozen_s) if saw else None,
            brightness=self._sight.brightness if saw else None,
            is_flat=self._sight.is_flat if saw else None,
            has_audio=self._sound is not None,
            silent_share=self._hearing.silent_share(seen) if self._sound is not None else None,
        )


def _milli(seconds: float) -> Decimal:
    return Decimal(seconds).quantize(Decimal("0.001"))
