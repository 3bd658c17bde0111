"""video.upscale: make a clip larger or sharper."""

from zaps.kind import StepKind

KIND = StepKind(name="video.upscale", makes="mp4", needs_duration=True)
