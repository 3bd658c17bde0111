"""What an eye would notice in pictures, measured on small copies of them: black, flat, frozen."""

from dataclasses import dataclass

import av
from PIL import Image, ImageChops, ImageStat

_SIZE = (64, 36)  # each pixel is the mean of a part of the picture, so noise of an encoder is mostly gone
_DARK_LEVELS = 26  # the darkest tenth of 256
_BLACK_SHARE = 0.98
_FLAT_LEVELS = 8  # between the darkest and the brightest part, in each of red, green and blue
# Encoders refresh a picture that stands still; up to here (of 255) that is no movement.
_STILL_MEAN = 1.0
_STILL_MOST = 16
_EVERY_S = 0.08  # about twelve looks a second are enough to see everything that a person would


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """One picture: `brightness` is 0 (black) to 1 (white)."""

    brightness: float
    is_black: bool
    is_flat: bool

    @classmethod
    def of(cls, small: Image.Image) -> "Sighting":
        """What is seen in a `small_picture`."""
        levels = small.convert("L").histogram()
        pixels = sum(levels)
        spread = [high - low for low, high in ImageStat.Stat(small).extrema]
        return cls(
            brightness=sum(level * count for level, count in enumerate(levels)) / pixels / 255,
            is_black=sum(levels[:_DARK_LEVELS]) >= _BLACK_SHARE * pixels,
            is_flat=max(spread) <= _FLAT_LEVELS,
        )


def small_picture(picture: Image.Image) -> Image.Image:
    """The copy that is measured."""
    return picture.resize(_SIZE, Image.Resampling.BOX)


def _small_frame(frame: av.VideoFrame) -> Image.Image:
    width, height = _SIZE
    # AREA: each small pixel is the mean of its part, as in small_picture.
    small: Image.Image = frame.to_image(  # type: ignore[no-untyped-call]
        width=width, height=height, interpolation="AREA"
    )
    return small


class Sight:
    """Takes the frames of one clip, in order, then `end`. What is seen in a frame counts until the next one."""

    def __init__(self) -> None:
        self.looks = 0
        self.seen_s = 0.0  #: from the first frame to the end of the last
        self.longest_frozen_s = 0.0
        self.is_flat = True
        self._start_s: float | None = None
        self._last: Sighting | None = None
        self._last_s = 0.0
        self._still: Image.Image | None = None  # where a stretch began; compared with it, even a slow drift is seen
        self._still_s = 0.0
        self._is_frozen = False
        self._black_s = 0.0
        self._light_s = 0.0

    def see(self, frame: av.VideoFrame) -> None:
        """Measure one frame, or let it pass where one was measured just before."""
        at = self._moment(frame)
        if self._last is not None and at - self._last_s < _EVERY_S:
            return
        small = _small_frame(frame)
        self._count_until(at)
        self._last, self._last_s = Sighting.of(small), at
        self.looks += 1
        self.is_flat = self.is_flat and self._last.is_flat
        self._is_frozen = self._still is not None and not _moved(self._still, small)
        if not self._is_frozen:
            self._still, self._still_s = small, at

    def end(self, at_s: float = 0.0) -> None:
        """Nothing more comes. `at_s`: where the clip ends, if that is known to be later than what was seen."""
        self.seen_s = max(self.seen_s, at_s)
        # A clip of one frame that has no length counts as that frame.
        self._count_until(self.seen_s or 1.0)

    @property
    def black_share(self) -> float:
        """Which part of the time is black, 0..1."""
        return self._black_s / self._last_s

    @property
    def brightness(self) -> float:
        """The mean over the time, 0..1."""
        return self._light_s / self._last_s

    def _moment(self, frame: av.VideoFrame) -> float:
        if self._start_s is None:
            self._start_s = frame.time or 0.0
        at = self.seen_s if frame.time is None else frame.time - self._start_s
        length = float(frame.duration * frame.time_base) if frame.duration and frame.time_base else 0.0
        self.seen_s = max(self.seen_s, at + length)
        return at

    def _count_until(self, at: float) -> None:
        """What was seen last was there until now."""
        if self._last is None:
            return
        length = max(0.0, at - self._last_s)
        self._black_s += length * self._last.is_black
        self._light_s += length * self._last.brightness
        if self._is_frozen:
            self.longest_frozen_s = max(self.longest_frozen_s, at - self._still_s)
        self._last_s = at


def _moved(before: Image.Image, now: Image.Image) -> bool:
    # Without colour: encoders are careless with it, and nothing moves in colour alone.
    change = ImageStat.Stat(ImageChops.difference(before.convert("L"), now.convert("L")))
    return change.mean[0] > _STILL_MEAN or change.extrema[0][1] > _STILL_MOST
