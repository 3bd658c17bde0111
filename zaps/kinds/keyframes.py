"""keyframes: pictures taken from clips: evenly spread over each, one every few seconds, or a single one."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

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
        frames += _take(material.path, folder, job.params)
        job.beat()
    return frames


def _take(clip: Path, folder: Path, params: Mapping[str, Any]) -> list[Path]:
    if "every_s" in params:
        return frames_every(clip, folder, every_s=Decimal(str(params["every_s"])))
    if params.get("at", "even") != "even":
        return frame_at(clip, folder, at=params["at"])
    return keyframes(clip, folder, count=int(params.get("count", _COUNT)))


KIND = StepKind(name="keyframes", makes="png", uses=("mp4",), shaped=False, render=_render)
