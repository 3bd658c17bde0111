"""image.gen: make a picture from words."""

from zaps.kind import StepKind

KIND = StepKind(name="image.gen", makes="png")
