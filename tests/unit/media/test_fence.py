"""Files that mean ill, and readers that they crash, fill, hang or take over."""

import io
import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from decimal import Decimal
from pathlib import Path

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from media import fence
from media.errors import RenderFailed, Unreadable
from media.mock import mock_media
from tests.unit.media.made import encode, make_clip

ROOT = Path(fence.__file__).parents[1]


def png_chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, pixels: bytes, *more: bytes) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (png_chunk(b"IHDR", head), *more, png_chunk(b"IDAT", zlib.compress(pixels, 9)), png_chunk(b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def gif(width: int, height: int) -> bytes:
    descriptor = struct.pack("<BHHHHB", 0x2C, 0, 0, width, height, 0)
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0, 0, 0) + descriptor + b"\x02\x02\x4c\x01\x00\x3b"


def wav(*, rate: int, samples: int) -> bytes:
    form = struct.pack("<HHIIHH", 1, 1, rate, rate, 1, 8)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", samples) + bytes(samples)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def webp(width: int, height: int) -> bytes:
    size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    body = b"WEBPVP8X" + struct.pack("<I", 10) + b"\0\0\0\0" + size
    return b"RIFF" + struct.pack("<I", len(body)) + body


def small() -> bytes:
    return mock_media("png", seed=1, label="x", width=64, height=64, duration_s=None)


def clip() -> bytes:
    return mock_media("mp4", seed=1, label="x", width=64, height=64, duration_s=1)


REFUSED = {
    "nothing": b"",
    "a concat script": b"ffconcat version 1.0\nfile /etc/passwd\n",
    "a playlist": b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n",
    "a playlist of a site": b"#EXTM3U\n#EXTINF:1,\nhttp://169.254.169.254/latest/meta-data/\n",
    "a dash manifest": b'<?xml version="1.0"?><MPD><Period><BaseURL>file:///etc/passwd</BaseURL></Period></MPD>',
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "a subtitle": b"1\n00:00:00,000 --> 00:00:01,000\nhello\n",
    "an sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nm=video 1 RTP/AVP 96\n",
    "a program": b"\x7fELF" + bytes(400),
    "an archive": b"PK\x03\x04" + bytes(400),
    "postscript": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n",
    "a png of two gigapixels": png(50_000, 50_000, b"\0" * 50_001),
    "a png one pixel wide": png(1, 2**31 - 1, b"\0\0"),
    "a png one pixel high": png(2**31 - 1, 1, b"\0\0"),
    "a png cut off": small()[:200],
    "a png with a broken sum": small()[:60] + b"\xff" + small()[61:],
    "a gif of four gigapixels": gif(65_535, 65_535),
    "a webp of two hundred terapixels": webp(2**24, 2**24),
    "a clip's heading": b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom",
    "a sound of nothing": wav(rate=8_000, samples=0),
    "json without bottom": b"[" * 100_000,
    "json of six megabytes": b"[" + b"1," * 3_000_000 + b"1]",
}


# A judge still looks at these, and says what is wrong with them.
NOT_KEPT = {
    "a clip cut off": clip()[: len(clip()) // 2],
    "a clip without its end": clip()[:-200],
    "a sound of two hours": wav(rate=1, samples=7_200),
}


@pytest.mark.parametrize("content", NOT_KEPT.values(), ids=NOT_KEPT)
def test_what_is_cut_off_or_too_long_is_not_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)

    with pytest.raises(Unreadable):
        fence.probe(path)


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("name", ["a.mp4", "a.png"])
def test_a_hostile_file_is_refused_whatever_it_is_called(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    for look in (fence.probe, fence.thumbnail, fence.inspect):
        with pytest.raises(Unreadable) as caught:
            look(path)
        assert caught.value.code == "OUTPUT_VALIDATION_FAILED"
        assert str(tmp_path) not in caught.value.detail


def test_a_picture_that_is_also_something_else_is_taken_for_a_picture(tmp_path: Path) -> None:
    for tail in (b"<script>alert(1)</script>", b"PK\x03\x04" + bytes(400), b"ffconcat version 1.0\nfile /etc/passwd\n"):
        path = tmp_path / "a.html"
        path.write_bytes(small() + tail)

        assert (fence.probe(path).kind, fence.probe(path).content_type) == ("png", "image/png")


def test_a_packed_remark_is_not_unpacked(tmp_path: Path) -> None:
    remark = b"Comment\0\0" + zlib.compress(bytes(300_000_000), 9)
    path = tmp_path / "a.png"
    path.write_bytes(png(1, 1, b"\0\0", png_chunk(b"zTXt", remark)))
    began = time.monotonic()

    with pytest.raises(Unreadable):
        fence.thumbnail(path)
    assert time.monotonic() - began < 20


def test_of_a_picture_with_countless_frames_one_is_read(tmp_path: Path) -> None:
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    path = tmp_path / "a.gif"
    path.write_bytes(b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + frame * 300_000 + b"\x3b")
    began = time.monotonic()

    assert (fence.probe(path).width, fence.probe(path).height) == (1, 1)
    assert time.monotonic() - began < 10


def test_a_clip_with_a_side_that_is_too_long_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mkv"
    encode("-f", "lavfi", "-i", "color=red:s=8400x16:d=0.1", "-c:v", "ffv1", str(path))

    with pytest.raises(Unreadable, match="8192"):
        fence.probe(path)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(kind=st.sampled_from(["png", "mp4", "wav"]), at=st.integers(0, 10_000), with_=st.binary(min_size=1, max_size=64))
def test_a_file_with_any_damage_is_read_or_refused(tmp_path: Path, kind: str, at: int, with_: bytes) -> None:
    content = bytearray(mock_media(kind, seed=1, label="x", width=64, height=64, duration_s=1))
    at %= len(content)
    content[at : at + len(with_)] = with_
    path = tmp_path / "a"
    path.write_bytes(content)

    try:
        found = fence.probe(path)
    except Unreadable:
        return
    assert found.kind in ("png", "mp4", "wav", "json")


# --- what comes back ------------------------------------------------------------------------------------------------


def test_a_look_through_the_fence_sees_what_a_look_without_it_sees(tmp_path: Path) -> None:
    from media import inspect, probe, thumbnail

    film, still = make_clip(tmp_path / "a.mp4", seconds=1), tmp_path / "a.png"
    still.write_bytes(small())

    for path in (film, still):
        assert fence.probe(path) == probe.probe(path)
        assert fence.inspect(path) == inspect.inspect(path)
        assert fence.thumbnail(path) == thumbnail.thumbnail(path)
    assert fence.length_s(film) == probe.length_s(film) == Decimal(1)
    assert fence.count_pictures(film) == probe.count_pictures(film) == 24


def test_a_still_is_written_upright_and_fitted(tmp_path: Path) -> None:
    path, out = tmp_path / "a.jpg", tmp_path / "out"
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    Image.new("RGB", (40, 20), "red").save(path, "JPEG", exif=exif)

    fence.write_still(path, out)
    upright = Image.open(io.BytesIO(out.read_bytes())).size
    fence.write_still(path, out, size=(30, 30))

    assert upright == (20, 40)
    assert Image.open(io.BytesIO(out.read_bytes())).size == (30, 30)


# --- readers gone wrong ---------------------------------------------------------------------------------------------

STRANGE_PEN = """
import os, signal, socket, sys, time
sys.path[:0] = sys.argv[1:]
from media import pen

def crash(path): os.kill(os.getpid(), signal.SIGSEGV)
GOOD = {"kind": "json", "content_type": "application/json"}
def be_good(path): return GOOD
def eat(path): return bytearray(4_000_000_000) and GOOD
def spin(path):
    while True: pass
def hang(path): time.sleep(600)
def leave(path): os._exit(0)
def flood(path): return bytes(20_000_000)
def fill(path):
    with open(path, "wb") as file: file.truncate(600_000_000)
    return GOOD
def open_many(path): return [os.dup(1) for _ in range(100)] and GOOD
def look_around(path):
    return {"kind": "json", "content_type": "application/json", "environ": dict(os.environ)}
def lie(path): return {"kind": "png", "content_type": "text/html"}
def lie_more(path): return {"kind": "exe", "content_type": "image/png"}
def lie_of_time(path): return {"kind": "png", "content_type": "image/png", "duration_s": "soon"}
def say_nothing(path): return None

_ALL = dict(globals())
def probe(path): return _ALL[path.name](path)

pen._Pen(socket.socket(fileno=0), {"probe": probe}).serve()
"""


@pytest.fixture
def strange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A pen whose children do what the file's name says."""
    script = tmp_path / "strange.py"
    script.write_text(STRANGE_PEN)
    pens = fence._Pens()
    monkeypatch.setattr(fence, "_PEN", str(script))
    monkeypatch.setattr(fence, "_PENS", pens)
    yield tmp_path
    pens.close()


def children() -> set[int]:
    return {child.pid for child in psutil.Process(fence._PENS._process.pid).children()}


def until(condition) -> bool:
    ends = time.monotonic() + 10
    while time.monotonic() < ends:
        if condition():
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(
    "deed",
    [
        "crash",
        "eat",
        "leave",
        "flood",
        "fill",
        "open_many",
        "look_around",
        "lie",
        "lie_more",
        "lie_of_time",
        "say_nothing",
    ],
)
def test_a_reader_gone_wrong_fails_the_file_and_nothing_else(strange: Path, deed: str) -> None:
    with pytest.raises(Unreadable) as caught:
        fence.probe(strange / deed)

    assert caught.value.code == "OUTPUT_VALIDATION_FAILED"
    assert until(lambda: children() == set())


@pytest.mark.parametrize("deed", ["spin", "hang"])
def test_a_reader_that_does_not_end_is_ended(strange: Path, deed: str) -> None:
    began = time.monotonic()

    with pytest.raises(Unreadable):
        fence._ask("probe", strange / deed, within_s=0.5)

    assert time.monotonic() - began < 5
    assert until(lambda: children() == set())


def test_a_reader_gone_right_is_believed(strange: Path) -> None:
    assert fence.probe(strange / "be_good").kind == "json"


def test_a_reader_is_ended_though_its_caller_is_busy_elsewhere(strange: Path) -> None:
    with fence._PENS.call(2) as line:
        line.sendall(json.dumps({"job": "probe", "path": str(strange / "hang"), "options": {}}).encode())

        assert until(children)
        assert until(lambda: children() == set())


def test_whoever_hangs_up_ends_the_reader(strange: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fence, "BEAT_S", 0)

    def beat() -> None:
        if children():
            raise KeyError("the lease is gone")

    with pytest.raises(KeyError, match="the lease is gone"):
        fence._ask("probe", strange / "hang", beat=beat)

    assert until(lambda: children() == set())


def test_a_reader_has_nothing_of_the_worker_s_environment(strange: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAL_KEY", "secret")

    found = fence._ask("probe", strange / "look_around").found

    assert set(found["environ"]) <= {"LC_ALL", "LC_CTYPE"}


def test_a_pen_that_was_killed_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(small())
    fence.probe(path)
    pen = fence._PENS._process
    os.kill(pen.pid, signal.SIGKILL)
    pen.wait()

    assert fence.probe(path).kind == "png"


def test_a_file_that_hangs_its_reader_is_given_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")  # opening it waits for somebody to write

    with pytest.raises(Unreadable, match="limits of memory and time"):
        fence._ask("probe", tmp_path / "a.mp4", within_s=0.5)


def test_looks_from_many_threads_do_not_mix(tmp_path: Path) -> None:
    from concurrent.futures import ThreadPoolExecutor

    paths = [tmp_path / f"{width}.png" for width in range(1, 25)]
    for width, path in enumerate(paths, start=1):
        Image.new("RGB", (width, 5)).save(path)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(fence.probe, paths))

    assert [one.width for one in found] == list(range(1, 25))


def test_pen_and_reader_end_with_the_worker(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.mp4")
    program = f"from pathlib import Path; from media import fence; fence.probe(Path({str(tmp_path / 'a.mp4')!r}))"
    worker = psutil.Popen([sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.DEVNULL)
    assert until(lambda: len(worker.children(recursive=True)) == 2)
    offspring = worker.children(recursive=True)

    worker.kill()
    worker.wait()

    assert psutil.wait_procs(offspring, timeout=5)[1] == []


def test_where_no_pen_can_be_made_the_step_may_be_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BrokenPipeError

    monkeypatch.setattr("socket.send_fds", refuse)
    with pytest.raises(RenderFailed) as caught:
        fence.probe(tmp_path / "a.png")

    assert caught.value.retryable


def test_no_answer_is_believed_to_be_more_than_data() -> None:
    for line in (b"", b"{", b"[]", b"7", b'{"bytes": "7"}', json.dumps({"found": {}}).encode()):
        with pytest.raises(Unreadable):
            fence._heading(line)
