"""audio.sfx: make a sound effect from words."""

from zaps.kind import StepKind

KIND = StepKind(name="audio.sfx", makes="wav", shaped=False)
