"""audio.tts: speak the prompt."""

from zaps.kind import StepKind

KIND = StepKind(name="audio.tts", makes="wav", shaped=False)
