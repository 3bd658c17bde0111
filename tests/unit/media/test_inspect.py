import io
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from media import inspect as room
from media.errors import Unreadable
from media.inspect import inspect
from media.mock import mock_media
from tests.unit.media.made import encode, make_clip, make_moving, make_steps, make_tone

X264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")


def _held(path: Path, *, seconds: float = 2) -> Path:
    """One richly drawn picture that stays, with the key frames of an ordinary encoder."""
    source = ["-f", "lavfi", "-i", "mandelbrot=s=320x180:start_scale=0.05:r=24"]
    encode(*source, "-vf", "loop=loop=-1:size=1", "-t", f"{seconds}", *X264, "-g", "24", str(path))
    return path


def _sound(path: Path, source: str, *, seconds: float = 1) -> Path:
    encode("-f", "lavfi", "-i", source, "-t", f"{seconds}", str(path))
    return path


def test_a_moving_clip_with_sound_is_fine_in_every_respect(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(mock_media("mp4", seed="fine", width=320, height=180, duration_s=Decimal(2)))

    seen = inspect(clip)

    assert (seen.kind, seen.width, seen.height) == ("mp4", 320, 180)
    assert (seen.duration_s, seen.seen_s) == (Decimal("2.000"), Decimal("2.000"))
    assert (seen.decodes, seen.decode_errors, seen.is_complete, seen.has_every_frame) == (True, 0, True, True)
    assert (seen.black_share, seen.is_flat, seen.has_audio) == (0, False, True)
    assert 0.1 < seen.brightness < 0.9
    assert seen.silent_share < 0.1


def test_a_black_clip_is_black_flat_and_frozen_from_start_to_end(tmp_path: Path) -> None:
    seen = inspect(make_clip(tmp_path / "black.mp4", color="black", seconds=2, sound=None))

    assert (seen.black_share, seen.is_flat, seen.longest_frozen_s) == (1, True, Decimal("2.000"))
    assert seen.brightness < 0.02
    assert (seen.has_audio, seen.silent_share) == (False, None)


def test_the_black_share_is_a_share_of_time_not_of_frames(tmp_path: Path) -> None:
    make_clip(tmp_path / "a.mkv", color="black", seconds=1, fps=30, sound=None)
    make_clip(tmp_path / "b.mkv", color="white", seconds=3, fps=5, sound=None)
    (tmp_path / "list").write_text("file a.mkv\nfile b.mkv\n")
    encode("-f", "concat", "-i", str(tmp_path / "list"), "-c", "copy", str(tmp_path / "clip.mkv"))

    seen = inspect(tmp_path / "clip.mkv")

    assert seen.black_share == pytest.approx(0.25, abs=0.02)
    assert seen.brightness == pytest.approx(0.75, abs=0.02)


def test_a_dark_picture_with_a_light_in_it_is_not_black(tmp_path: Path) -> None:
    picture = Image.new("RGB", (320, 180))
    ImageDraw.Draw(picture).ellipse((130, 60, 190, 120), fill="white")
    picture.save(tmp_path / "moon.png")

    assert inspect(tmp_path / "moon.png").black_share == 0


def test_a_picture_that_stays_is_frozen_although_the_encoder_refreshes_it(tmp_path: Path) -> None:
    assert inspect(_held(tmp_path / "clip.mp4", seconds=3)).longest_frozen_s == Decimal("3.000")


def test_a_moving_clip_is_not_frozen(tmp_path: Path) -> None:
    assert inspect(make_moving(tmp_path / "clip.mp4")).longest_frozen_s < Decimal("0.3")


def test_the_longest_stretch_is_found_in_the_middle(tmp_path: Path) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=[20, 90, *[160] * 12, 40, *[200] * 5])

    assert inspect(clip).longest_frozen_s == Decimal("1.200")


def test_a_slow_drift_is_movement(tmp_path: Path) -> None:
    clip = make_steps(tmp_path / "clip.mp4", levels=[40 + step // 4 for step in range(80)])

    assert inspect(clip).longest_frozen_s < Decimal(2)


def test_a_small_thing_that_moves_over_a_picture_that_stays_is_movement(tmp_path: Path) -> None:
    dot = "[1][0]overlay=x='20+40*t':y=80"
    sources = [
        "-f",
        "lavfi",
        "-i",
        "color=white:s=8x8:r=24:d=2",
        "-f",
        "lavfi",
        "-i",
        "color=0x404040:s=320x180:r=24:d=2",
    ]
    encode(*sources, "-filter_complex", dot, *X264, str(tmp_path / "clip.mp4"))

    assert inspect(tmp_path / "clip.mp4").longest_frozen_s < Decimal("0.5")


def test_a_clip_that_ends_in_one_colour_is_not_flat(tmp_path: Path) -> None:
    ending = "fade=out:st=0.5:d=0.5"
    encode("-f", "lavfi", "-i", "testsrc2=s=160x90:r=24:d=2", "-vf", ending, *X264, str(tmp_path / "clip.mp4"))

    assert inspect(tmp_path / "clip.mp4").is_flat is False


def test_one_plain_colour_that_blinks_is_flat_and_not_frozen(tmp_path: Path) -> None:
    seen = inspect(make_steps(tmp_path / "clip.mp4", levels=[60, 120] * 10))

    assert (seen.is_flat, seen.longest_frozen_s) == (True, Decimal(0))


@pytest.mark.parametrize(
    ("source", "silent"),
    [
        ("anullsrc=r=48000:cl=stereo", 1),
        ("sine=frequency=440", 0),
        ("sine=frequency=440,volume=-40dB", 1),  # the source itself is at -18 dBFS
        ("sine=frequency=440,volume=-26dB", 0),
        ("aevalsrc=0.5:s=8000", 1),  # a constant offset is no sound
        ("aevalsrc=sin(2*PI*440*t)|-sin(2*PI*440*t):s=44100", 0),  # the channels would cancel each other
        ("sine=frequency=15000:sample_rate=44100", 0),
        ("sine=frequency=440,volume='lt(mod(t,0.5),0.25)':eval=frame", 0.5),
    ],
)
def test_what_is_heard_decides_about_silence(tmp_path: Path, source: str, silent: float) -> None:
    seen = inspect(_sound(tmp_path / "sound.wav", source))

    assert (seen.kind, seen.has_audio, seen.decodes) == ("wav", True, True)
    assert seen.duration_s == seen.seen_s == Decimal("1.000")
    assert seen.silent_share == pytest.approx(silent, abs=0.06)
    assert (seen.black_share, seen.brightness, seen.longest_frozen_s, seen.is_flat) == (None,) * 4


def test_a_clip_whose_sound_ends_early_is_silent_for_the_rest(tmp_path: Path) -> None:
    picture = make_moving(tmp_path / "p.mp4", seconds=4)
    tone = make_tone(tmp_path / "t.wav", seconds=1)
    encode("-i", str(picture), "-i", str(tone), "-c:v", "copy", str(tmp_path / "clip.mp4"))

    assert inspect(tmp_path / "clip.mp4").silent_share == pytest.approx(0.75, abs=0.02)


@pytest.mark.parametrize(
    ("color", "is_flat"), [((70, 130, 180), True), ((0, 0, 0), True), ((255, 255, 255), True), (None, False)]
)
def test_a_still_of_one_colour_is_flat_and_a_gradient_is_not(
    tmp_path: Path, color: tuple[int, int, int] | None, is_flat: bool
) -> None:
    picture = Image.new("RGB", (300, 200), color) if color else Image.linear_gradient("L").resize((300, 200))
    picture.save(tmp_path / "still.jpg", quality=60)

    seen = inspect(tmp_path / "still.jpg")

    assert (seen.kind, seen.width, seen.height, seen.is_flat, seen.decodes) == ("png", 300, 200, is_flat, True)
    assert (seen.duration_s, seen.seen_s, seen.longest_frozen_s, seen.silent_share) == (None,) * 4


def test_two_colours_of_one_brightness_are_not_flat(tmp_path: Path) -> None:
    picture = Image.new("RGB", (100, 100), (130, 0, 0))
    picture.paste((0, 66, 0), (0, 0, 50, 100))
    picture.save(tmp_path / "still.png")

    assert inspect(tmp_path / "still.png").is_flat is False


def test_a_transparent_still_is_seen_on_black(tmp_path: Path) -> None:
    Image.new("RGBA", (64, 64), (255, 255, 255, 0)).save(tmp_path / "still.png")

    seen = inspect(tmp_path / "still.png")

    assert (seen.black_share, seen.brightness, seen.is_flat) == (1, 0, True)


@pytest.mark.parametrize("content", [b"", b"not media at all", b"\x89PNG\r\n\x1a\nbroken", b'{"a": 1}', None])
def test_what_holds_neither_picture_nor_sound_is_unreadable(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "result").write_bytes(content)

    with pytest.raises(Unreadable) as refused:
        inspect(tmp_path / "result")

    assert str(tmp_path) not in str(refused.value)


def test_a_long_clip_is_looked_at_by_its_key_frames_from_start_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "EVERY_FRAME_S", 5)
    make_clip(tmp_path / "a.mkv", color="black", seconds=4, sound=None)
    make_clip(tmp_path / "b.mkv", color="white", seconds=4, sound=None)
    (tmp_path / "list").write_text("file a.mkv\nfile b.mkv\n")
    encode("-f", "concat", "-i", str(tmp_path / "list"), *X264, "-g", "24", str(tmp_path / "long.mp4"))

    seen = inspect(tmp_path / "long.mp4")

    assert (seen.has_every_frame, seen.is_complete, seen.decodes) == (False, True, True)
    assert seen.seen_s == seen.duration_s == Decimal("8.000")
    assert seen.black_share == pytest.approx(0.5, abs=0.01)
    assert seen.longest_frozen_s == pytest.approx(Decimal(4), abs=Decimal("0.1"))


def test_a_look_that_runs_out_of_time_says_how_far_it_came(tmp_path: Path) -> None:
    seen = inspect(make_moving(tmp_path / "clip.mp4", seconds=4), time_limit_s=0)

    assert (seen.is_complete, seen.decode_errors) == (False, 0)
    assert seen.seen_s < seen.duration_s == Decimal("4.000")


def test_what_the_beat_raises_ends_the_look_and_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BEAT_S", 0)

    def beat() -> None:
        raise KeyError("the lease is gone")

    with pytest.raises(KeyError, match="the lease is gone"):
        inspect(make_moving(tmp_path / "clip.mp4"), beat=beat)


def test_a_song_with_a_cover_is_a_sound(tmp_path: Path) -> None:
    cover = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(cover, "PNG")
    (tmp_path / "cover.png").write_bytes(cover.getvalue())
    tone = make_tone(tmp_path / "t.wav")
    both = ["-i", str(tone), "-i", str(tmp_path / "cover.png"), "-map", "0", "-map", "1"]
    encode(*both, "-disposition:v", "attached_pic", str(tmp_path / "song.mp3"))

    seen = inspect(tmp_path / "song.mp3")

    assert (seen.kind, seen.width, seen.decodes) == ("wav", None, True)


def test_a_turned_clip_has_the_size_that_a_viewer_sees(tmp_path: Path) -> None:
    flat = make_moving(tmp_path / "flat.mp4")
    encode("-display_rotation", "90", "-i", str(flat), "-c", "copy", str(tmp_path / "turned.mp4"))

    seen = inspect(tmp_path / "turned.mp4")

    assert (seen.width, seen.height) == (90, 160)


def test_a_webm_without_a_length_in_its_head_lasts_as_long_as_it_is_seen(tmp_path: Path) -> None:
    vp9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-f", "webm", "-live", "1")
    encode("-f", "lavfi", "-i", "testsrc2=s=64x64:r=10:d=1", *vp9, str(tmp_path / "live.webm"))

    seen = inspect(tmp_path / "live.webm")

    assert (seen.duration_s, seen.seen_s, seen.decodes) == (Decimal("1.000"), Decimal("1.000"), True)
