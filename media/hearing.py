"""How much of a sound can be heard."""

from array import array
from collections.abc import Iterator

import av

SILENT_DBFS = -50.0

_FULL_SCALE = 32768
_WINDOW_S = 0.02
# From trough to crest, so that a constant offset, which nobody hears, does not count.
_SILENT_SWING = 2 * _FULL_SCALE * 10 ** (SILENT_DBFS / 20)


class Hearing:
    """Takes the frames of one sound, in order, and listens to 20 ms at a time."""

    def __init__(self) -> None:
        self._resampler: av.AudioResampler | None = None
        self._shape: tuple[str, str, int] | None = None
        self._loud_s = 0.0
        self.heard_s = 0.0  #: the length of all frames

    def hear(self, frame: av.AudioFrame) -> None:
        """Measure one frame."""
        for piece in self._resampler_for(frame).resample(frame):
            channels = piece.layout.nb_channels
            samples = array("h", bytes(piece.planes[0])[: piece.samples * channels * 2])
            self.heard_s += piece.samples / piece.sample_rate
            window = max(1, round(piece.sample_rate * _WINDOW_S)) * channels
            loud = (len(part) for part in _parts(samples, window) if max(part) - min(part) >= _SILENT_SWING)
            self._loud_s += sum(loud) / channels / piece.sample_rate

    def silent_share(self, whole_s: float) -> float:
        """Which part (0..1) of `whole_s` seconds has nothing to hear; silence follows where the sound ends sooner."""
        whole_s = max(whole_s, self.heard_s)
        return max(0.0, 1 - self._loud_s / whole_s) if whole_s else 1.0

    def _resampler_for(self, frame: av.AudioFrame) -> av.AudioResampler:
        """A resampler takes one shape of frames; some streams change theirs on the way."""
        shape = (frame.format.name, frame.layout.name, frame.sample_rate)
        if self._resampler is None or shape != self._shape:
            # Channels stay apart: mixed to one, a sound that is turned round in the other would be silence.
            self._resampler, self._shape = av.AudioResampler(format="s16"), shape
        return self._resampler


def _parts(samples: "array[int]", length: int) -> Iterator["array[int]"]:
    return (samples[start : start + length] for start in range(0, len(samples), length))
