"""Clips, stills and sound tracks become one film.

Every input is brought to the same size, rate, pixel format and sound first. Copying streams would be faster and is
never done: ffmpeg joins clips that differ into a film that is broken and calls that a success.
"""

import tempfile
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from media import ffmpeg
from media.errors import Unreadable
from media.fence import count_pictures, length_s, probe, write_still
from media.loudness import gain_for
from media.probe import MAX_DURATION_S, Probe
from media.soundtrack import Audio, Sound, Soundtrack

STILL_S = 3
MAX_SIDE = 3840

_SPARE_FRAMES = 2  # a header may promise a frame more than decodes; the last one is then held

_PICTURE = {
    ("mp4", "draft"): ("-c:v", "libx264", "-preset", "superfast", "-crf", "30"),
    ("mp4", "standard"): ("-c:v", "libx264", "-preset", "veryfast", "-crf", "20"),
    ("mp4", "high"): ("-c:v", "libx264", "-preset", "medium", "-crf", "17"),
    ("webm", "draft"): ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "40", "-b:v", "0"),
    ("webm", "standard"): ("-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "5", "-crf", "32", "-b:v", "0"),
    ("webm", "high"): ("-c:v", "libvpx-vp9", "-deadline", "good", "-cpu-used", "2", "-crf", "24", "-b:v", "0"),
}
_SOUND = {
    ("mp4", "draft"): ("-c:a", "aac", "-b:a", "96k"),
    ("mp4", "standard"): ("-c:a", "aac", "-b:a", "160k"),
    ("mp4", "high"): ("-c:a", "aac", "-b:a", "256k"),
    ("webm", "draft"): ("-c:a", "libopus", "-b:a", "64k"),
    ("webm", "standard"): ("-c:a", "libopus", "-b:a", "128k"),
    ("webm", "high"): ("-c:a", "libopus", "-b:a", "192k"),
}
_WRAPPERS = {
    "mp4": ("-movflags", "+faststart", "-f", "mp4"),
    "webm": ("-row-mt", "1", "-f", "webm"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One clip or still of the film, and how many of the film's frames it fills."""

    arguments: list[str]
    frames: int
    has_sound: bool


def stitch(  # noqa: PLR0913 (each is one thing that a film maker decides)
    clips: Sequence[Path],
    out: Path,
    *,
    tracks: Sequence[Path] = (),
    audio: Audio | None = None,
    size: tuple[int, int] | None = None,
    fps: int = 24,
    quality: str = "standard",
    format: str = "mp4",
    beat: Callable[[], None] | None = None,
    timeout_s: int = 1800,
) -> None:
    """Write the clips, one after the other, as one film to `out`; there is no file, or the whole film.

    A still is held for three seconds; a clip without sound is silent. All `tracks` (music, speech) start with the
    film and play at the same time, as `audio` says; each is cut where the film ends and followed by silence where it
    ends sooner. `size` is width and height, the first clip's when None; what has another shape gets black bars.
    `quality` is draft, standard or high; `format` mp4 (H.264, AAC) or webm (VP9, Opus). `beat` is called about every
    two seconds; what it raises stops the work and goes on.

    Raises Unreadable for a clip or track that is damaged (`extra["part"]`, from 1, where it is known which),
    RenderFailed when the encoder fails or one of its passes takes longer than `timeout_s`, ValueError for an unknown
    option.
    """
    encoder = _encoder(quality, format)
    if not clips:
        raise ValueError("A film needs at least one clip.")
    if not 1 <= fps <= 120:
        raise ValueError("A film has 1 to 120 frames a second.")
    found = [_look(clip, number, beat) for number, clip in enumerate(clips, start=1)]
    canvas = _even(size or (found[0].width or 0, found[0].height or 0))
    unfinished = out.absolute().with_name(f".{out.name}.{uuid.uuid4().hex}.part")
    with tempfile.TemporaryDirectory(prefix="zaps-stitch-") as folder:
        try:
            pairs = enumerate(zip(clips, found, strict=True))
            parts = [_part(clip, is_, Path(folder, f"{n}.png"), canvas, fps, beat) for n, (clip, is_) in pairs]
            inputs = [argument for part in parts for argument in part.arguments]
            inputs += [argument for track in tracks for argument in ffmpeg.source(track, "-vn")]
            sound = _soundtrack(clips, parts, tracks, audio or Audio(), fps)
            gain_db = gain_for(sound, inputs, timeout_s=timeout_s, beat=beat)
            graph = ";".join([*_pictures(parts, size=canvas, fps=fps), *sound.chains(gain_db)])
            results = ["-filter_complex", graph, "-map", "[film]", "-map", "[sound]"]
            ffmpeg.run([*inputs, *results, *encoder, f"file:{unfinished}"], timeout_s=timeout_s, beat=beat)
            _check(unfinished, frames=sum(part.frames for part in parts))
            unfinished.replace(out)
        finally:
            unfinished.unlink(missing_ok=True)


def _encoder(quality: str, format: str) -> tuple[str, ...]:
    try:
        picture, sound = _PICTURE[format, quality], _SOUND[format, quality]
    except KeyError:
        raise ValueError(
            f"There is no {quality!r} {format!r}; qualities: draft, standard, high; formats: mp4, webm."
        ) from None
    # Passed through as they are: filling gaps would hide the damage that _check looks for.
    as_made = ("-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-map_metadata", "-1")
    return (*picture, *sound, *as_made, *_WRAPPERS[format])


def _look(clip: Path, number: int, beat: Callable[[], None] | None) -> Probe:
    if beat is not None:
        beat()
    try:
        found = probe(clip)
    except Unreadable as exc:
        raise Unreadable(f"Part {number} of the film: {exc.detail}", part=number) from exc
    if found.kind not in ("mp4", "png"):
        raise Unreadable(f"Part {number} of the film is neither a clip nor a still.", part=number)
    return found


def _even(size: tuple[int, int]) -> tuple[int, int]:
    """The size with even sides (what players decode), no side over 3840."""
    scale = min(1.0, MAX_SIDE / max(size))
    width, height = (max(2, int(side * scale) // 2 * 2) for side in size)
    return width, height


def _part(
    clip: Path, found: Probe, still: Path, size: tuple[int, int], fps: int, beat: Callable[[], None] | None
) -> _Part:
    if found.kind == "png":
        write_still(clip, still, size=size)
        options = ["-f", "image2", "-pattern_type", "none", "-loop", "1", "-framerate", str(fps), "-t", str(STILL_S)]
        return _Part(arguments=[*options, "-i", f"file:{still}"], frames=STILL_S * fps, has_sound=False)
    if beat is not None:
        beat()
    length = min(length_s(clip), Decimal(MAX_DURATION_S))
    return _Part(arguments=ffmpeg.source(clip), frames=max(1, round(length * fps)), has_sound=found.has_sound)


def _soundtrack(
    clips: Sequence[Path], parts: Sequence[_Part], tracks: Sequence[Path], audio: Audio, fps: int
) -> Soundtrack:
    volume = audio.volume_db
    return Soundtrack(
        clips=[
            Sound(input=n, length_s=part.frames / fps, is_heard=part.has_sound, volume_db=volume.get(clip, 0))
            for n, (clip, part) in enumerate(zip(clips, parts, strict=True))
        ],
        tracks=[
            Sound(input=n, length_s=_track_s(track), volume_db=volume.get(track, 0))
            for n, track in enumerate(tracks, start=len(parts))
        ],
        audio=audio,
    )


def _track_s(track: Path) -> float:
    found = probe(track)
    if not found.has_sound:
        raise Unreadable("A sound track has no sound.")
    return float(found.duration_s or 0)


def _pictures(parts: Sequence[_Part], *, size: tuple[int, int], fps: int) -> list[str]:
    """The filters from the inputs [0], [1], … to [film]."""
    width, height = size
    chains = [
        # start_time=0 keeps picture and sound of a clip together where one of them begins later.
        f"[{number}:V:0]fps={fps}:start_time=0,"
        f"scale={width}:{height}:force_original_aspect_ratio=decrease:force_divisible_by=2,"
        f"pad={width}:{height}:(ow-iw)/2:(oh-ih)/2,setsar=1,format=yuv420p,"
        f"tpad=stop={_SPARE_FRAMES}:stop_mode=clone,trim=end_frame={part.frames},setpts=PTS-STARTPTS[v{number}]"
        for number, part in enumerate(parts)
    ]
    names = "".join(f"[v{number}]" for number in range(len(parts)))
    return [*chains, f"{names}concat=n={len(parts)}:v=1:a=0,settb=1/{fps}[film]"]


def _check(film: Path, *, frames: int) -> None:
    """A damaged clip gives fewer pictures than it promises, and ffmpeg calls that a success. We do not."""
    made = count_pictures(film)
    if made != frames:
        raise Unreadable(f"The film has {made} pictures instead of {frames}: one of its clips is damaged.")
