"""stitch: join clips to one film, with sounds laid under it.

The clips follow each other in recipe order; a picture among them is held for three seconds; each sound starts with the
film.
"""

from pathlib import Path

from media.shape import size_for
from media.soundtrack import Audio
from media.stitch import stitch
from zaps.kind import LocalJob, StepKind, UnusableMaterial

_FPS = 24


def _render(job: LocalJob) -> list[Path]:
    clips = [material.path for material in job.inputs if material.kind in ("mp4", "png")]
    tracks = [material.path for material in job.inputs if material.kind == "wav"]
    for material in job.inputs:
        if material.kind not in ("mp4", "png", "wav"):
            raise UnusableMaterial(f"{material.step_id} made no clip, picture or sound, so it cannot be stitched.")
    if not any(material.kind == "mp4" for material in job.inputs):
        raise UnusableMaterial("There is no clip to stitch.")
    form = str(job.params.get("format", "mp4"))
    film = job.folder / f"film.{form}"
    stitch(
        clips,
        film,
        tracks=tracks,
        audio=_audio(job),
        size=size_for(job.aspect),
        fps=int(job.params.get("fps", _FPS)),
        quality=str(job.params.get("quality", "standard")),
        format=form,
        beat=job.beat,
    )
    return [film]


def _audio(job: LocalJob) -> Audio:
    named = ("mix", "loudness_lufs", "fade_out_s")
    volumes = job.params.get("volume_db", {})
    return Audio(
        **{name: job.params[name] for name in named if name in job.params},
        volume_db={one.path: volumes[one.step_id] for one in job.inputs if one.step_id in volumes},
    )


KIND = StepKind(name="stitch", makes="mp4", uses=("mp4", "png", "wav"), render=_render)
