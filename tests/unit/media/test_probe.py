import pickle
import struct
import zlib
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from media.errors import RenderFailed, Unreadable
from media.mock import mock_media
from media.probe import Probe, length_s, probe
from tests.unit.media.made import encode, make_clip, make_tone


def test_a_clip_tells_its_size_length_rate_and_sound(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", size="160x90", fps=25, seconds=2)

    found = probe(clip)

    assert found == Probe(
        kind="mp4",
        content_type="video/mp4",
        width=160,
        height=90,
        duration_s=Decimal("2.000"),
        has_sound=True,
        fps=Decimal("25.000"),
    )


def test_a_clip_without_sound_says_so(tmp_path: Path) -> None:
    clip = make_clip(tmp_path / "clip.mp4", sound=None)

    assert probe(clip).has_sound is False


def test_a_clip_turned_by_its_matrix_has_the_size_that_is_shown(tmp_path: Path) -> None:
    flat = make_clip(tmp_path / "flat.mp4", size="160x90")
    encode("-display_rotation", "90", "-i", str(flat), "-c", "copy", str(tmp_path / "turned.mp4"))

    found = probe(tmp_path / "turned.mp4")

    assert (found.width, found.height) == (90, 160)


@pytest.mark.parametrize(
    ("name", "codec", "content_type"),
    [
        ("clip.webm", ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"), "video/webm"),
        ("clip.mkv", ("-c:v", "libx264"), "video/x-matroska"),
        ("clip.mov", ("-c:v", "libx264"), "video/quicktime"),
        ("clip.ts", ("-c:v", "libx264"), "video/mp2t"),
        ("clip.avi", ("-c:v", "mpeg4"), "video/x-msvideo"),
    ],
)
def test_any_container_that_decodes_is_a_clip(
    tmp_path: Path, name: str, codec: tuple[str, ...], content_type: str
) -> None:
    clip = make_clip(tmp_path / name, codec=codec)

    found = probe(clip)

    assert (found.kind, found.content_type) == ("mp4", content_type)
    assert found.duration_s == pytest.approx(Decimal(1), abs=Decimal("0.1"))


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("tone.wav", "audio/wav"),
        ("tone.mp3", "audio/mpeg"),
        ("tone.m4a", "audio/mp4"),
        ("tone.ogg", "audio/ogg"),
        ("tone.flac", "audio/flac"),
    ],
)
def test_any_sound_is_a_sound(tmp_path: Path, name: str, content_type: str) -> None:
    tone = make_tone(tmp_path / name, seconds=2)

    found = probe(tone)

    assert (found.kind, found.content_type, found.has_sound, found.width) == ("wav", content_type, True, None)
    assert found.duration_s == pytest.approx(Decimal(2), abs=Decimal("0.06"))


def test_a_song_with_a_cover_is_a_sound_not_a_clip(tmp_path: Path) -> None:
    tone = make_tone(tmp_path / "tone.mp3")
    Image.new("RGB", (32, 32), "blue").save(tmp_path / "cover.png")
    inputs = ["-i", str(tone), "-i", str(tmp_path / "cover.png"), "-map", "0", "-map", "1", "-c", "copy"]
    encode(*inputs, "-disposition:v", "attached_pic", str(tmp_path / "song.mp3"))

    assert probe(tmp_path / "song.mp3").kind == "wav"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("i.png", "image/png"),
        ("i.jpg", "image/jpeg"),
        ("i.webp", "image/webp"),
        ("i.gif", "image/gif"),
        ("i.avif", "image/avif"),
    ],
)
def test_any_still_is_a_still_whatever_its_name(tmp_path: Path, name: str, content_type: str) -> None:
    Image.new("RGB", (40, 30), "teal").save(tmp_path / name)
    misnamed = (tmp_path / name).rename(tmp_path / "result.mp4")

    found = probe(misnamed)

    assert found == Probe(kind="png", content_type=content_type, width=40, height=30)


def test_a_photo_turned_by_exif_has_the_size_that_is_shown(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 30), "teal").save(tmp_path / "photo.jpg", exif=exif)

    found = probe(tmp_path / "photo.jpg")

    assert (found.width, found.height) == (30, 40)


def test_json_is_json(tmp_path: Path) -> None:
    (tmp_path / "scores.bin").write_text('{"score": 0.5}')

    assert probe(tmp_path / "scores.bin") == Probe(kind="json", content_type="application/json")


HOSTILE = {
    "empty": b"",
    "html": b"<!doctype html><title>Not found</title>",
    "svg": b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"/>',
    "hls playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\nclip.mp4\n#EXT-X-ENDLIST\n",
    "concat script": b"ffconcat version 1.0\nfile clip.mp4\n",
    "dash": b'<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period/></MPD>',
    "half of json": b'{"score": ',
    "deep json": b"[" * 200_000,
    "text": b"the model is overloaded, try again later",
    "zeros": bytes(5000),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_what_is_no_media_is_refused(tmp_path: Path, content: bytes) -> None:
    make_clip(tmp_path / "clip.mp4")
    (tmp_path / "result.mp4").write_bytes(content)

    with pytest.raises(Unreadable) as refused:
        probe(tmp_path / "result.mp4")

    assert refused.value.code == "OUTPUT_VALIDATION_FAILED"
    assert str(tmp_path) not in str(refused.value)


@pytest.mark.parametrize("kind", ["png", "mp4"])
def test_a_download_that_broke_off_is_refused(tmp_path: Path, kind: str) -> None:
    whole = mock_media(kind, seed="cut", width=160, height=90, duration_s=Decimal(1))
    (tmp_path / "result").write_bytes(whole[: len(whole) * 9 // 10])

    with pytest.raises(Unreadable):
        probe(tmp_path / "result")


def test_a_cut_jpeg_is_refused(tmp_path: Path) -> None:
    Image.radial_gradient("L").resize((400, 400)).save(tmp_path / "whole.jpg")
    content = (tmp_path / "whole.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(content[: len(content) // 2])

    with pytest.raises(Unreadable):
        probe(tmp_path / "cut.jpg")


def _png_claiming(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def test_a_still_that_would_fill_the_memory_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    (tmp_path / "bomb.png").write_bytes(_png_claiming(8000, 8000) + struct.pack(">I", 0) + b"IDAT")

    with pytest.raises(Unreadable, match="megapixels"):
        probe(tmp_path / "bomb.png")


def test_a_clip_longer_than_an_hour_is_refused(tmp_path: Path) -> None:
    encode("-f", "lavfi", "-i", "color=red:s=16x16:r=1:d=3700", "-preset", "ultrafast", str(tmp_path / "long.mp4"))

    with pytest.raises(Unreadable, match="60 minutes"):
        probe(tmp_path / "long.mp4")


def test_a_missing_file_is_unreadable_and_its_path_stays_private(tmp_path: Path) -> None:
    with pytest.raises(Unreadable) as refused:
        probe(tmp_path / "nothing.mp4")

    assert "nothing" not in str(refused.value)


def test_the_length_by_packets_is_the_pictures_not_the_sounds(tmp_path: Path) -> None:
    picture = make_clip(tmp_path / "p.mp4", seconds=1, sound=None)
    tone = make_tone(tmp_path / "t.wav", seconds=2)
    encode("-i", str(picture), "-i", str(tone), "-c:v", "copy", str(tmp_path / "clip.mkv"))

    assert length_s(tmp_path / "clip.mkv") == pytest.approx(Decimal(1), abs=Decimal("0.01"))


@pytest.mark.parametrize("kind", [Unreadable, RenderFailed])
def test_errors_survive_the_way_between_processes(kind: type[Unreadable] | type[RenderFailed]) -> None:
    error = pickle.loads(pickle.dumps(kind("It is torn.", part=2)))

    assert (type(error), error.detail, error.code, error.extra) == (kind, "It is torn.", kind.code, {"part": 2})
