"""image.upscale: make a picture, or the last frame of a clip, larger: `params: {scale: 2x}`, or 4x, 2k or 4k."""

from zaps.kind import StepKind

KIND = StepKind(name="image.upscale", makes="png", works_on="png", shaped=False)
