"""video.upscale: make a clip larger or sharper."""

from zaps.kind import StepKind

KIND = StepKind(name="video.upscale", makes="mp4", works_on="mp4", shaped=False, needs_duration=True)
