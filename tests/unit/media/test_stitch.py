from decimal import Decimal
from pathlib import Path

import av
import pytest
from PIL import Image

from media.errors import RenderFailed, Unreadable
from media.mock import mock_media
from media.probe import Probe, probe
from media.soundtrack import Audio
from media.stitch import stitch
from tests.unit.media.made import (
    count_frames,
    encode,
    loudness,
    make_clip,
    make_steps,
    make_tone,
    pixel_at,
    sound_seconds,
)

VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-c:a", "libopus")
RED, GREEN, BLUE = (254, 0, 0), (0, 128, 0), (0, 0, 254)


def _looks_like(color: tuple[int, int, int], wanted: tuple[int, int, int]) -> bool:
    return all(abs(a - b) < 24 for a, b in zip(color, wanted, strict=True))


def test_unlike_clips_become_one_film_in_order_and_of_exact_length(tmp_path: Path) -> None:
    clips = [
        make_clip(tmp_path / "a.mp4", size="160x90", fps=24, seconds=1, color="red"),
        make_clip(tmp_path / "b.mp4", size="96x128", fps=30, seconds=1.5, color="green", sound=None),
        make_clip(tmp_path / "c.webm", size="121x67", fps=25, seconds=1, color="blue", codec=VP9),
    ]

    stitch(clips, tmp_path / "film.mp4", quality="draft")

    found = probe(tmp_path / "film.mp4")
    assert (found.width, found.height, found.fps, found.content_type) == (160, 90, Decimal(24), "video/mp4")
    assert found.duration_s == Decimal("3.500")
    assert count_frames(tmp_path / "film.mp4") == 84
    assert sound_seconds(tmp_path / "film.mp4") == pytest.approx(3.5, abs=0.05)
    assert _looks_like(pixel_at(tmp_path / "film.mp4", 0.98), RED)
    assert _looks_like(pixel_at(tmp_path / "film.mp4", 1.02), GREEN)
    assert _looks_like(pixel_at(tmp_path / "film.mp4", 2.48), GREEN)
    assert _looks_like(pixel_at(tmp_path / "film.mp4", 2.52), BLUE)


def test_each_clip_keeps_its_own_sound_and_a_silent_one_stays_silent(tmp_path: Path) -> None:
    loud = make_clip(tmp_path / "a.mp4", seconds=1)
    silent = make_clip(tmp_path / "b.mp4", seconds=1, sound=None)

    stitch([loud, silent, loud], tmp_path / "film.mp4", quality="draft")

    film = tmp_path / "film.mp4"
    assert loudness(film, start=0.1, end=0.9) > 0.05
    assert loudness(film, start=1.1, end=1.9) < 0.001
    assert loudness(film, start=2.1, end=2.9) > 0.05


def test_sound_shorter_than_its_clip_does_not_pull_the_next_sound_forward(tmp_path: Path) -> None:
    picture = make_clip(tmp_path / "p.mp4", seconds=2, sound=None)
    tone = make_tone(tmp_path / "t.wav", seconds=0.5)
    encode("-i", str(picture), "-i", str(tone), "-c:v", "copy", str(tmp_path / "a.mp4"))
    loud = make_clip(tmp_path / "b.mp4", seconds=1)

    stitch([tmp_path / "a.mp4", loud], tmp_path / "film.mp4", quality="draft")

    film = tmp_path / "film.mp4"
    assert loudness(film, start=0.1, end=0.4) > 0.05
    assert loudness(film, start=0.7, end=1.9) < 0.001
    assert loudness(film, start=2.1, end=2.9) > 0.05


def test_sound_shorter_than_the_last_clip_is_silent_to_its_end(tmp_path: Path) -> None:
    picture = make_clip(tmp_path / "p.mp4", seconds=2, sound=None)
    tone = make_tone(tmp_path / "t.wav", seconds=0.5)
    encode("-i", str(picture), "-i", str(tone), "-c:v", "copy", str(tmp_path / "a.mp4"))

    stitch([tmp_path / "a.mp4"], tmp_path / "film.mp4", quality="draft")

    assert sound_seconds(tmp_path / "film.mp4") == pytest.approx(2.0, abs=0.05)


def test_sound_longer_than_its_clip_is_cut_with_the_picture(tmp_path: Path) -> None:
    picture = make_clip(tmp_path / "p.mp4", seconds=1, sound=None)
    tone = make_tone(tmp_path / "t.wav", seconds=2)
    encode("-i", str(picture), "-i", str(tone), "-c:v", "copy", str(tmp_path / "a.mp4"))
    silent = make_clip(tmp_path / "b.mp4", seconds=1, color="green", sound=None)

    stitch([tmp_path / "a.mp4", silent], tmp_path / "film.mp4", quality="draft")

    film = tmp_path / "film.mp4"
    assert probe(film).duration_s == Decimal("2.000")
    assert _looks_like(pixel_at(film, 1.02), GREEN)
    assert loudness(film, start=1.1, end=1.9) < 0.001


def test_where_the_last_frame_does_not_decode_the_one_before_is_held(tmp_path: Path) -> None:
    clip = make_steps(tmp_path / "a.mp4", levels=[60, 100, 140, 180])
    with av.open(str(clip)) as container:
        last = container.streams.video[0].index_entries[-1]
    content = bytearray(clip.read_bytes())
    content[last.pos : last.pos + last.size] = bytes(last.size)
    clip.write_bytes(content)

    stitch([clip], tmp_path / "film.mp4", quality="draft", fps=10)

    assert count_frames(tmp_path / "film.mp4") == 4
    assert pixel_at(tmp_path / "film.mp4", 0.35)[0] > 120


def test_sound_that_begins_after_the_picture_still_does(tmp_path: Path) -> None:
    picture = make_clip(tmp_path / "p.mp4", seconds=2, sound=None)
    tone = make_tone(tmp_path / "t.wav", seconds=1)
    late = ["-i", str(picture), "-itsoffset", "1", "-i", str(tone), "-c:v", "copy", "-map", "0", "-map", "1"]
    encode(*late, str(tmp_path / "a.mkv"))

    stitch([tmp_path / "a.mkv"], tmp_path / "film.mp4", quality="draft")

    assert loudness(tmp_path / "film.mp4", start=0.1, end=0.9) < 0.001
    assert loudness(tmp_path / "film.mp4", start=1.1, end=1.9) > 0.05


def test_a_turned_clip_stands_upright_and_gives_the_film_its_size(tmp_path: Path) -> None:
    flat = make_clip(tmp_path / "flat.mp4", size="160x90")
    encode("-display_rotation", "90", "-i", str(flat), "-c", "copy", str(tmp_path / "turned.mp4"))

    stitch([tmp_path / "turned.mp4"], tmp_path / "film.mp4", quality="draft")

    assert (probe(tmp_path / "film.mp4").width, probe(tmp_path / "film.mp4").height) == (90, 160)


def test_a_slow_clip_fills_every_frame_of_its_time(tmp_path: Path) -> None:
    slow = make_clip(tmp_path / "slow.mp4", fps=5, seconds=1)

    stitch([slow, slow], tmp_path / "film.mp4", quality="draft", fps=24)

    assert count_frames(tmp_path / "film.mp4") == 48


def test_a_still_is_held_for_three_seconds_with_bars_where_its_shape_differs(tmp_path: Path) -> None:
    Image.new("RGBA", (60, 60), (0, 0, 255, 255)).save(tmp_path / "still.png")
    clip = make_clip(tmp_path / "a.mp4", size="160x90", seconds=1)

    stitch([clip, tmp_path / "still.png"], tmp_path / "film.mp4", quality="draft")

    assert probe(tmp_path / "film.mp4").duration_s == Decimal("4.000")
    assert _looks_like(pixel_at(tmp_path / "film.mp4", 3.9), BLUE)


def test_stills_alone_make_a_film_with_a_silent_track(tmp_path: Path) -> None:
    Image.new("RGB", (61, 41), "blue").save(tmp_path / "still.jpg")

    stitch([tmp_path / "still.jpg"], tmp_path / "film.mp4", quality="draft")

    found = probe(tmp_path / "film.mp4")
    assert (found.width, found.height, found.has_sound) == (60, 40, True)
    assert loudness(tmp_path / "film.mp4") == 0


def test_a_track_plays_over_silent_clips_and_ends_with_itself(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "a.mp4", seconds=2, sound=None)
    music = make_tone(tmp_path / "m.mp3", seconds=1)

    stitch([silent], tmp_path / "film.mp4", tracks=[music], quality="draft")

    film = tmp_path / "film.mp4"
    assert probe(film).duration_s == Decimal("2.000")
    assert loudness(film, start=0.1, end=0.9) > 0.05
    assert loudness(film, start=1.2, end=1.9) < 0.001


def test_a_track_longer_than_the_film_is_cut(tmp_path: Path) -> None:
    silent = make_clip(tmp_path / "a.mp4", seconds=1, sound=None)
    music = make_tone(tmp_path / "m.wav", seconds=5)

    stitch([silent], tmp_path / "film.mp4", tracks=[music], quality="draft")

    assert sound_seconds(tmp_path / "film.mp4") == pytest.approx(1.0, abs=0.05)


def test_tracks_are_mixed_with_the_clips_own_sound(tmp_path: Path) -> None:
    loud = make_clip(tmp_path / "a.mp4", seconds=1, sound="sine=frequency=440")
    music = make_tone(tmp_path / "m.wav", hertz=300)
    speech = make_tone(tmp_path / "s.wav", hertz=700)

    stitch([loud], tmp_path / "alone.mp4", quality="draft")
    stitch([loud], tmp_path / "mixed.mp4", tracks=[music, speech], audio=Audio(mix="mix"), quality="draft")

    # Three tones of one strength: the square root of three times as loud as one.
    ratio = loudness(tmp_path / "mixed.mp4", start=0.1, end=0.9) / loudness(tmp_path / "alone.mp4", start=0.1, end=0.9)
    assert ratio == pytest.approx(1.73, abs=0.1)


def test_clips_can_be_silenced(tmp_path: Path) -> None:
    loud = make_clip(tmp_path / "a.mp4", seconds=1)

    stitch([loud], tmp_path / "film.mp4", audio=Audio(mix="replace"), quality="draft")

    assert probe(tmp_path / "film.mp4").has_sound
    assert loudness(tmp_path / "film.mp4") < 0.001


def test_webm_is_vp9_of_the_size_asked_for(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", size="160x90", seconds=1)

    stitch([clip, clip], tmp_path / "film.webm", format="webm", quality="draft", size=(90, 160), fps=12)

    found = probe(tmp_path / "film.webm")
    assert found == Probe(
        kind="mp4",
        content_type="video/webm",
        width=90,
        height=160,
        duration_s=found.duration_s,
        has_sound=True,
        fps=Decimal(12),
    )
    assert count_frames(tmp_path / "film.webm") == 24


def test_a_broken_part_leaves_no_film_and_no_rest(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=1)
    (tmp_path / "b.mp4").write_bytes(b"ffconcat version 1.0\nfile a.mp4\n")

    with pytest.raises(Unreadable, match="Part 2 of the film") as refused:
        stitch([clip, tmp_path / "b.mp4"], tmp_path / "film.mp4")

    assert refused.value.extra == {"part": 2}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]


@pytest.mark.parametrize("place", [0, 1])
def test_a_clip_whose_pictures_are_destroyed_makes_no_film(tmp_path: Path, place: int) -> None:
    content = bytearray(mock_media("mp4", seed="whole", width=160, height=90))
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    (tmp_path / "bad.mp4").write_bytes(content)
    clips = [make_clip(tmp_path / "good.mp4", sound=None)]
    clips.insert(place, tmp_path / "bad.mp4")

    with pytest.raises(Unreadable, match="damaged"):
        stitch(clips, tmp_path / "film.mp4", quality="draft")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["bad.mp4", "good.mp4"]


def test_a_film_that_takes_too_long_leaves_the_old_one_untouched(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=1)
    (tmp_path / "film.mp4").write_bytes(b"the film of yesterday")

    with pytest.raises(RenderFailed, match="limit of 0 s"):
        stitch([clip], tmp_path / "film.mp4", timeout_s=0)

    assert (tmp_path / "film.mp4").read_bytes() == b"the film of yesterday"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "film.mp4"]


@pytest.mark.parametrize("options", [{"quality": "best"}, {"format": "avi"}, {"fps": 0}])
def test_an_option_that_does_not_exist_is_refused(tmp_path: Path, options: dict[str, object]) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=1)

    with pytest.raises(ValueError, match=r"There is no|1 to 120"):
        stitch([clip], tmp_path / "film.mp4", **options)


def test_a_sound_is_no_part_of_the_picture_and_a_picture_no_track(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "a.mp4", seconds=1, sound=None)
    tone = make_tone(tmp_path / "t.wav")

    with pytest.raises(Unreadable, match="neither"):
        stitch([tone], tmp_path / "film.mp4")
    with pytest.raises(Unreadable, match="no sound"):
        stitch([clip], tmp_path / "film.mp4", tracks=[clip])
