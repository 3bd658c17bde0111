"""image.edit: make a picture from another one."""

from zaps.kind import StepKind

KIND = StepKind(name="image.edit", makes="png", works_on="png")
