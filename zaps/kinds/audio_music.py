"""audio.music: make music from words."""

from zaps.kind import StepKind

KIND = StepKind(name="audio.music", makes="wav", shaped=False)
