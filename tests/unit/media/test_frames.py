import io
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from media import ffmpeg
from media.errors import Unreadable
from media.frames import last_frame
from media.keyframes import frame_at, frames_every, keyframes
from media.shape import size_for
from media.thumbnail import thumbnail
from tests.unit.media.made import encode, make_clip, make_steps, make_tone


def _level(path: Path) -> int:
    """The grey of a picture, rounded to tens: encoders are off by one or two."""
    with Image.open(path) as image:
        return round(image.convert("L").getpixel((32, 32)) / 10) * 10


@pytest.mark.parametrize(
    ("levels", "fps"),
    [([40, 80, 120, 160, 200], 10), ([40, 80, 120, 160, 200], 5), ([40, 200], 1), ([90], 24), ([90], 1)],
)
def test_the_last_frame_is_the_very_last(tmp_path: Path, levels: list[int], fps: int) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=levels, fps=fps)

    last_frame(clip, tmp_path / "last.png")

    assert _level(tmp_path / "last.png") == levels[-1]


def test_the_last_frame_is_found_where_the_sound_goes_on_after_the_picture(tmp_path: Path) -> None:
    clip = make_steps(tmp_path / "silent.mp4", levels=[40, 80, 120])
    tone = make_tone(tmp_path / "t.wav", seconds=4)
    encode("-i", str(clip), "-i", str(tone), "-c:v", "copy", str(tmp_path / "clip.mp4"))

    last_frame(tmp_path / "clip.mp4", tmp_path / "last.png")

    assert _level(tmp_path / "last.png") == 120


def test_a_still_is_its_own_last_frame(tmp_path: Path) -> None:
    Image.new("RGB", (64, 64), (70, 70, 70)).save(tmp_path / "still.jpg")

    last_frame(tmp_path / "still.jpg", tmp_path / "last.png")

    assert _level(tmp_path / "last.png") == 70


def test_a_sound_has_no_last_frame_and_leaves_none(tmp_path: Path) -> None:
    tone = make_tone(tmp_path / "t.wav")

    with pytest.raises(Unreadable):
        last_frame(tone, tmp_path / "last.png")

    assert [path.name for path in tmp_path.iterdir()] == ["t.wav"]


def test_keyframes_are_the_middles_of_equal_parts_in_order(tmp_path: Path) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=[20, 40, 60, 80, 100, 120, 140, 160, 180])

    paths = keyframes(clip, tmp_path, count=3)

    assert [path.name for path in paths] == ["frame_001.png", "frame_002.png", "frame_003.png"]
    assert [_level(path) for path in paths] == [40, 100, 160]


def test_a_clip_of_one_frame_gives_it_as_often_as_asked(tmp_path: Path) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=[90], fps=24)

    paths = keyframes(clip, tmp_path, count=3)

    assert [_level(path) for path in paths] == [90, 90, 90]


def test_as_many_keyframes_as_frames_are_all_frames(tmp_path: Path) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=[40, 80, 120, 160, 200])

    paths = keyframes(clip, tmp_path, count=5)

    assert [_level(path) for path in paths] == [40, 80, 120, 160, 200]


TEN = [20, 40, 60, 80, 100, 120, 140, 160, 180, 200]  # ten frames a second: one second


@pytest.mark.parametrize(("at", "level"), [("first", 20), ("middle", 120), ("last", 200)])
def test_one_picture_is_taken_from_the_start_the_middle_or_the_end(tmp_path: Path, at: str, level: int) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=TEN)

    paths = frame_at(clip, tmp_path, at=at)

    assert [path.name for path in paths] == ["frame_001.png"]
    assert [_level(path) for path in paths] == [level]


@pytest.mark.parametrize(
    ("every_s", "levels"),
    [
        ("0.2", [20, 60, 100, 140, 180]),
        ("0.25", [20, 60, 120, 160]),
        ("0.3", [20, 80, 140, 200]),
        ("0.05", [level for level in TEN for _ in range(2)]),
        ("0.999", [20, 200]),
        ("1", [20]),
        ("60", [20]),
    ],
)
def test_a_picture_is_taken_every_so_often_from_the_first_one_on(
    tmp_path: Path, every_s: str, levels: list[int]
) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=TEN)

    assert [_level(path) for path in frames_every(clip, tmp_path, every_s=Decimal(every_s))] == levels


def test_pictures_are_taken_at_the_same_moments_of_a_clip_with_an_odd_rate(tmp_path: Path) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=TEN, fps=3)

    assert [_level(path) for path in frames_every(clip, tmp_path, every_s=Decimal(1))] == [20, 80, 140, 200]


def test_more_pictures_than_anybody_looks_at_are_refused(tmp_path: Path) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=TEN)

    with pytest.raises(ValueError, match="1000 of them; at most 200"):
        frames_every(clip, tmp_path, every_s=Decimal("0.001"))
    with pytest.raises(ValueError, match="some time apart"):
        frames_every(clip, tmp_path, every_s=Decimal(0))


def test_what_the_beat_raises_ends_the_taking_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ffmpeg, "BEAT_S", 0.001)
    clip = make_steps(tmp_path / "clip.mp4", levels=TEN)

    def beat() -> None:
        raise KeyError("the lease is gone")

    with pytest.raises(KeyError, match="the lease is gone"):
        keyframes(clip, tmp_path, count=2, beat=beat)


@pytest.mark.parametrize("take", [{"at": "first"}, {"at": "middle"}, {"at": "last"}, {"every_s": Decimal(1)}])
def test_neither_stills_nor_sounds_have_keyframes(tmp_path: Path, take: dict[str, object]) -> None:
    Image.new("RGB", (64, 64)).save(tmp_path / "still.png")
    make_tone(tmp_path / "t.wav")

    for name in ("still.png", "t.wav"):
        with pytest.raises(Unreadable, match="this is none"):
            (frame_at if "at" in take else frames_every)(tmp_path / name, tmp_path, **take)


@pytest.mark.parametrize("count", [0, 201])
def test_a_count_out_of_range_is_refused(tmp_path: Path, count: int) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=[40])

    with pytest.raises(ValueError, match="1 to 200"):
        keyframes(clip, tmp_path, count=count)


def test_a_thumbnail_of_a_clip_is_a_small_upright_jpeg(tmp_path: Path) -> None:
    flat = make_clip(tmp_path / "flat.mp4", size="640x360")
    encode("-display_rotation", "90", "-i", str(flat), "-c", "copy", str(tmp_path / "turned.mp4"))

    image = Image.open(io.BytesIO(thumbnail(tmp_path / "turned.mp4", longest=160)))

    assert (image.format, image.size) == ("JPEG", (90, 160))


def test_a_thumbnail_of_a_still_keeps_its_shape_and_is_never_enlarged(tmp_path: Path) -> None:
    Image.new("RGBA", (100, 50), (255, 0, 0, 0)).save(tmp_path / "still.png")

    image = Image.open(io.BytesIO(thumbnail(tmp_path / "still.png")))

    assert image.size == (100, 50)


def test_a_sound_has_no_thumbnail(tmp_path: Path) -> None:
    tone = make_tone(tmp_path / "t.wav")

    with pytest.raises(Unreadable):
        thumbnail(tone)


def test_aspects_have_even_sizes_and_no_aspect_has_none() -> None:
    assert size_for("16:9") == (1280, 720)
    assert size_for("9:16") == (720, 1280)
    assert size_for("1:1") == (1080, 1080)
    assert size_for(None) is None


def test_an_unknown_aspect_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match="16:9"):
        size_for("17:3")
