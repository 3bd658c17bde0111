"""video.edit: make a clip from another one."""

from zaps.kind import StepKind

KIND = StepKind(name="video.edit", makes="mp4", works_on="mp4", needs_duration=True)
