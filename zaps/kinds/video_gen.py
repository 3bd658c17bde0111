"""video.gen: make a clip from words, pictures or both."""

from zaps.kind import StepKind

KIND = StepKind(name="video.gen", makes="mp4", needs_duration=True)
