"""keyframes: pictures taken from clips, evenly spread over each."""

from pathlib import Path

from media.keyframes import keyframes
from zaps.kind import LocalJob, StepKind, UnusableMaterial

_COUNT = 4


def _render(job: LocalJob) -> list[Path]:
    if not job.inputs:
        raise UnusableMaterial("There is no clip to take frames from.")
    for material in job.inputs:
        if material.kind != "mp4":
            raise UnusableMaterial(f"{material.step_id} made no clip, so there are no frames to take.")
    frames: list[Path] = []
    for number, material in enumerate(job.inputs):
        folder = job.folder / str(number)
        folder.mkdir()
        frames += keyframes(material.path, folder, count=int(job.params.get("count", _COUNT)))
        job.beat()
    return frames


KIND = StepKind(name="keyframes", makes="png", uses=("mp4",), shaped=False, render=_render)
