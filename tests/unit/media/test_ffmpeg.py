import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from media import ffmpeg
from media.errors import RenderFailed
from tests.unit.media.made import make_clip

ENDLESS = ["-re", "-f", "lavfi", "-i", "color=red:s=16x16", "-f", "null", "-"]


def _offspring() -> list[int]:
    """Our own ffmpegs, the unreaped ones too."""
    return [child.pid for child in psutil.Process().children() if "ffmpeg" in child.name()]


def test_a_child_over_its_limit_is_killed_and_gone() -> None:
    with pytest.raises(RenderFailed, match=r"limit of 0\.5 s"):
        ffmpeg.run(ENDLESS, timeout_s=0.5)

    assert _offspring() == []


def test_a_beat_that_raises_kills_the_child_and_goes_on() -> None:
    seen: list[int] = []

    def beat() -> None:
        seen.extend(_offspring())
        raise KeyError("the lease is gone")

    with pytest.raises(KeyError, match="the lease is gone"):
        ffmpeg.run(ENDLESS, timeout_s=30, beat=beat)

    assert len(seen) == 1
    assert _offspring() == []


def test_a_child_dies_with_its_parent(tmp_path: Path) -> None:
    program = f"from media import ffmpeg; ffmpeg.run({ENDLESS!r}, timeout_s=60)"
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=Path(ffmpeg.__file__).parents[1])
    child = _wait_for_ffmpeg(parent.pid)

    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()

    gone, alive = psutil.wait_procs([child], timeout=5)
    assert (gone, alive) == ([child], [])


def _wait_for_ffmpeg(parent: int) -> psutil.Process:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for child in psutil.Process(parent).children():
            # Neither the leash before it has become ffmpeg, nor the `ffmpeg -version` that finds the binary.
            if "ffmpeg" in child.name() and "-nostdin" in child.cmdline():
                return child
        time.sleep(0.02)
    raise AssertionError("ffmpeg did not start")


def test_what_ffmpeg_says_and_our_paths_stay_out_of_the_error(tmp_path: Path) -> None:
    (tmp_path / "secret-name.mp4").write_bytes(b"nothing of the kind")

    with pytest.raises(RenderFailed) as failed:
        ffmpeg.run([*ffmpeg.source(tmp_path / "secret-name.mp4"), "-f", "null", "-"], timeout_s=20)

    assert failed.value.code == "LOCAL_STEP_FAILED"
    assert "secret-name" not in str(failed.value)
    assert "Invalid data" not in str(failed.value)


def test_a_script_in_disguise_cannot_open_another_file(tmp_path: Path) -> None:
    make_clip(tmp_path / "private.mp4")
    (tmp_path / "clip.mp4").write_text("ffconcat version 1.0\nfile private.mp4\n")

    with pytest.raises(RenderFailed):
        ffmpeg.run([*ffmpeg.source(tmp_path / "clip.mp4"), str(tmp_path / "stolen.mp4")], timeout_s=20)

    assert not (tmp_path / "stolen.mp4").exists()


def test_the_binary_can_be_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "my-ffmpeg"
    fake.write_text("#!/bin/sh\nexit 7\n")
    fake.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(fake))

    with pytest.raises(RenderFailed, match="exit code 7"):
        ffmpeg.run([], timeout_s=20)
