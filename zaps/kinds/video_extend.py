"""video.extend: go on from the last frame of the clip before; `repeat:` says how often."""

from zaps.kind import StepKind

KIND = StepKind(name="video.extend", makes="mp4", needs_duration=True, repeats=True)
