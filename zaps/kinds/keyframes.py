"""keyframes: pictures taken from clips: evenly spread over each, one every few seconds, or a single one."""

from decimal import Decimal
from pathlib import Path

from media.keyframes import frame_at, frames_every, keyframes
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
        frames += _take(material.path, folder, job)
    return frames


def _take(clip: Path, folder: Path, job: LocalJob) -> list[Path]:
    job.beat()
    if "every_s" in job.params:
        try:
            return frames_every(clip, folder, every_s=Decimal(str(job.params["every_s"])), beat=job.beat)
        except ValueError as exc:
            raise UnusableMaterial(str(exc)) from exc
    if job.params.get("at", "even") != "even":
        return frame_at(clip, folder, at=job.params["at"], beat=job.beat)
    return keyframes(clip, folder, count=int(job.params.get("count", _COUNT)), beat=job.beat)


KIND = StepKind(name="keyframes", makes="png", uses=("mp4",), shaped=False, render=_render)
