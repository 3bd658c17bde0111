from decimal import Decimal

import pytest

from media.mock import mock_media
from media.probe import probe
from zaps.kind import KINDS, LocalJob, Material, UnusableMaterial

from ..media.made import lufs_and_peak

MAKES = {
    "image.gen": "png", "image.edit": "png", "image.upscale": "png",
    "video.gen": "mp4", "video.extend": "mp4", "video.edit": "mp4", "video.upscale": "mp4",
    "audio.tts": "wav", "audio.music": "wav", "audio.sfx": "wav",
    "keyframes": "png", "stitch": "mp4",
}  # fmt: skip


def test_there_are_twelve_kinds_and_two_of_them_are_local():
    assert {kind.name: kind.makes for kind in KINDS} == MAKES
    assert {kind.name for kind in KINDS if kind.render} == {"keyframes", "stitch"}
    assert {kind.name for kind in KINDS if kind.needs_duration} == {name for name in MAKES if name.startswith("video.")}
    assert {kind.name for kind in KINDS if kind.repeats} == {"video.extend"}


@pytest.mark.parametrize("kind", ["stitch", "keyframes"])
@pytest.mark.parametrize("kinds", [[], ["json"], ["mp4", "json"], ["wav"]])
def test_a_local_step_says_when_it_can_make_nothing_of_its_material(kind, kinds, tmp_path):
    inputs = [Material(step_id=f"made_{one}", path=tmp_path / one, kind=one) for one in kinds]

    with pytest.raises(UnusableMaterial) as caught:
        KINDS.get(kind).render(job(tmp_path / "work", inputs))

    assert caught.value.code == "LOCAL_INPUT_UNUSABLE"


@pytest.fixture
def material(tmp_path):
    def make(kind, *, duration_s="0.4"):
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.{kind}"
        path.write_bytes(mock_media(kind, seed=path.name, width=64, height=64, duration_s=Decimal(duration_s)))
        return Material(step_id=path.name, path=path, kind=kind)

    return make


def job(folder, inputs, **params):
    folder.mkdir()
    return LocalJob(inputs=inputs, folder=folder, params=params, aspect=None, beat=lambda: None)


def test_clips_and_sounds_become_one_film(material, tmp_path):
    inputs = [material("mp4"), material("wav"), material("mp4")]

    (film,) = KINDS.get("stitch").render(job(tmp_path / "work", inputs, mix="replace", quality="draft"))

    seen = probe(film)
    assert (seen.kind, film.suffix, seen.has_sound) == ("mp4", ".mp4", True)
    assert abs(seen.duration_s - Decimal("0.8")) < Decimal("0.15")


def test_every_clip_gives_as_many_frames_as_are_asked_for(material, tmp_path):
    frames = KINDS.get("keyframes").render(job(tmp_path / "work", [material("mp4"), material("mp4")], count=2))

    assert [probe(frame).kind for frame in frames] == ["png"] * 4
    assert len({frame.read_bytes() for frame in frames[:2]}) == 2


@pytest.mark.parametrize(
    ("params", "count"),
    [({"at": "first"}, 1), ({"at": "last"}, 1), ({"every_s": 0.1}, 5), ({"at": "even"}, 4), ({}, 4)],
)
def test_the_frames_of_a_clip_are_those_that_were_asked_for(material, tmp_path, params, count):
    frames = KINDS.get("keyframes").render(job(tmp_path / "work", [material("mp4")], **params))

    assert len(frames) == count
    assert all(probe(frame).kind == "png" for frame in frames)


def test_more_frames_than_anybody_looks_at_are_refused(material, tmp_path):
    with pytest.raises(UnusableMaterial, match="at most 200"):
        KINDS.get("keyframes").render(job(tmp_path / "work", [material("mp4")], every_s=0.001))


def test_the_first_and_the_last_frame_of_a_clip_differ(material, tmp_path):
    clip = material("mp4", duration_s="2")

    first, last = (
        KINDS.get("keyframes").render(job(tmp_path / at, [clip], at=at))[0].read_bytes() for at in ("first", "last")
    )

    assert first != last


def test_the_sound_of_a_film_is_as_its_step_says(material, tmp_path):
    clip, music = material("mp4", duration_s="2"), material("wav", duration_s="3")
    volumes = {clip.step_id: -60, music.step_id: -12}

    def sound(name, **params):
        (film,) = KINDS.get("stitch").render(job(tmp_path / name, [clip, music], quality="draft", **params))
        return lufs_and_peak(film)[0]

    as_it_comes = sound("a", mix="mix")
    softer = sound("b", mix="mix", volume_db=volumes)
    levelled = sound("c", mix="mix", volume_db=volumes, loudness_lufs=-16.0, fade_out_s=0)

    assert softer < as_it_comes - 9
    assert levelled == pytest.approx(-16, abs=0.7)


def test_a_film_is_of_the_format_and_rate_that_its_step_says(material, tmp_path):
    (film,) = KINDS.get("stitch").render(
        job(tmp_path / "work", [material("mp4")], format="webm", fps=12, quality="draft")
    )

    seen = probe(film)
    assert (film.suffix, seen.content_type, seen.fps) == (".webm", "video/webm", 12)
