"""Clips that differ in everything, and films of every quality."""

from pathlib import Path

import pytest

from media.stitch import stitch
from tests.unit.media.made import count_frames, encode, likeness, loudness, make_clip, pixel_at, sound_seconds


def _flash(path: Path, *, size: str, fps: str, rate: int, layout: str) -> Path:
    """One second: dark and silent, then, in the same moment at half of it, white and loud."""
    dark, light = (f"color={color}:s={size}:r={fps}:d=0.5" for color in ("black", "white"))
    beep = f"aevalsrc='if(gte(t,0.5),0.4*sin(2*PI*440*t),0)':s={rate}:d=1,aformat=channel_layouts={layout}"
    both = ["-f", "lavfi", "-i", f"{dark}[d];{light}[l];[d][l]concat", "-f", "lavfi", "-i", beep]
    encode(*both, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-t", "1", str(path))
    return path


@pytest.mark.parametrize(("format", "fps"), [("mp4", 24), ("mp4", 60), ("webm", 30)])
def test_however_unlike_the_clips_are_picture_and_sound_stay_together(tmp_path: Path, format: str, fps: int) -> None:
    clips = [
        _flash(tmp_path / "a.mp4", size="160x90", fps="10", rate=8000, layout="mono"),
        _flash(tmp_path / "b.mkv", size="90x160", fps="60", rate=96000, layout="5.1"),
        make_clip(tmp_path / "c.mp4", size="64x64", color="black", sound=None),
        _flash(tmp_path / "d.mp4", size="320x180", fps="30", rate=22050, layout="stereo"),
    ]

    film = tmp_path / f"film.{format}"
    stitch(clips, film, size=(160, 90), fps=fps, quality="draft", format=format)

    assert count_frames(film) == 4 * fps
    assert sound_seconds(film) == pytest.approx(4, abs=0.05)
    for start in (0, 1, 3):
        assert loudness(film, start=start + 0.1, end=start + 0.48) < 0.005
        assert loudness(film, start=start + 0.52, end=start + 0.9) > 0.1
        assert pixel_at(film, start + 0.46)[0] < 50
        assert pixel_at(film, start + 0.54)[0] > 200
    assert loudness(film, start=2.1, end=2.9) < 0.005


@pytest.mark.parametrize("format", ["mp4", "webm"])
def test_a_better_quality_is_nearer_to_the_clip_and_takes_more_room(tmp_path: Path, format: str) -> None:
    rich = "mandelbrot=s=320x180:r=12:start_scale=0.3"
    encode("-f", "lavfi", "-i", rich, "-t", "1", "-c:v", "libx264", "-qp", "4", str(tmp_path / "clip.mp4"))

    films = [tmp_path / f"{quality}.{format}" for quality in ("draft", "standard", "high")]
    for film in films:
        stitch([tmp_path / "clip.mp4"], film, quality=film.stem, format=format, fps=12)

    draft, standard, high = (likeness(film, tmp_path / "clip.mp4") for film in films)
    assert draft + 0.5 < standard < high - 0.5
    assert films[0].stat().st_size < films[1].stat().st_size < films[2].stat().st_size


def test_a_draft_is_made_with_the_least_work(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=1)

    stitch([clip], tmp_path / "draft.mp4", quality="draft")
    stitch([clip], tmp_path / "high.mp4", quality="high")

    # x264 writes into each film how it was asked to work: these are superfast's and medium's.
    assert b"subme=1" in (tmp_path / "draft.mp4").read_bytes()
    assert b"subme=7" in (tmp_path / "high.mp4").read_bytes()
