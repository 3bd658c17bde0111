"""How loud a film is (EBU R128), and by how much to turn it up."""

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from media import ffmpeg
from media.soundtrack import Soundtrack

MOST_GAIN_DB = 30  # what is softer than that is noise, and stays soft

_NEAR_LU = 0.2
_TRIES = 5
_SILENCE_LUFS = -69.0  # the meter's floor is -70
_METER = "ebur128=metadata=1,ametadata=mode=print:key=lavfi.r128.I:file=loudness.txt"
_READING = re.compile(r"lavfi\.r128\.I=(-?[0-9.]+)")


def gain_for(
    soundtrack: Soundtrack, inputs: Sequence[str], *, timeout_s: float, beat: Callable[[], None] | None = None
) -> float:
    """By how many decibels to raise the soundtrack so that it is as loud as its `audio` asks; 0.0 where it is silent.

    `inputs` are ffmpeg's arguments that open the files. The sound is heard at least twice, since the limiter that keeps
    peaks from clipping takes some of the gain away. Raises RenderFailed, and whatever `beat` raises.
    """
    target, gain = soundtrack.audio.loudness_lufs, 0.0
    if target is None or not soundtrack.has_sound:
        return gain
    for _ in range(_TRIES):
        measured = _measure(soundtrack.chains(gain), inputs, timeout_s=timeout_s, beat=beat)
        if measured <= _SILENCE_LUFS:
            return 0.0
        if abs(target - measured) <= _NEAR_LU:
            break
        gain = min(gain + target - measured, MOST_GAIN_DB)
    return gain


def _measure(
    chains: Sequence[str], inputs: Sequence[str], *, timeout_s: float, beat: Callable[[], None] | None
) -> float:
    """The integrated loudness in LUFS."""
    graph = ";".join([*chains, f"[sound]{_METER}[heard]"])
    with tempfile.TemporaryDirectory(prefix="zaps-loudness-") as folder:
        arguments = [*inputs, "-filter_complex", graph, "-map", "[heard]", "-f", "null", "-"]
        ffmpeg.run(arguments, timeout_s=timeout_s, beat=beat, folder=Path(folder))
        readings = _READING.findall(Path(folder, "loudness.txt").read_text())
    return float(readings[-1]) if readings else _SILENCE_LUFS
