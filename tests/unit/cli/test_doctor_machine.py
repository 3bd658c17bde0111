from importlib.metadata import version
from pathlib import Path

import pytest

from cli.doctor import machine
from cli.doctor.findings import Level, see
from cli.faults import bad_input


def levels(findings):
    return [one.level for one in findings]


def test_this_machine_is_well():
    found = [*machine.python(), *machine.ffmpeg()]

    assert levels(found) == [Level.OK, Level.OK]


def test_an_old_python_is_told(monkeypatch):
    monkeypatch.setattr(machine, "OLDEST", (9, 0))

    assert levels(machine.python()) == [Level.FAIL]


def test_a_package_that_is_missing_and_one_of_another_version_are_told(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        f"pyyaml=={version('pyyaml')} \\\n    --hash=sha256:00\npillow==0.0.1 \\\n    --hash=sha256:00\n"
        "not-there==1.0 \\\n    --hash=sha256:00\n"
        "only-elsewhere==1.0 ; sys_platform == 'win32' \\\n    --hash=sha256:00\n"
    )

    missing, other = machine.packages(lock)

    assert (missing.level, other.level) == (Level.FAIL, Level.WARN)
    assert missing.message == "Not installed: not-there."
    assert other.message == f"Not the version that was tested: pillow {version('pillow')}."


def test_a_version_for_another_python_is_no_difference(tmp_path):
    lock = tmp_path / "requirements.lock"
    lock.write_text(
        f"pyyaml=={version('pyyaml')} ; python_full_version < '9'\npyyaml==99 ; python_full_version >= '9'\n"
    )

    assert levels(machine.packages(lock)) == [Level.OK]


def test_without_a_lock_file_there_is_nothing_to_compare(tmp_path):
    assert levels(machine.packages(tmp_path / "none.lock")) == [Level.OK]


def test_an_ffmpeg_that_does_not_start_is_told(monkeypatch):
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nonexistent/ffmpeg")

    (found,) = machine.ffmpeg()

    assert found.level is Level.FAIL
    assert "imageio-ffmpeg" in found.remedy


@pytest.mark.parametrize(("free_gb", "level"), [(0.5, Level.FAIL), (3, Level.WARN), (50, Level.OK)])
def test_a_disk_that_fills_up_is_told_before_it_is_full(free_gb, level, monkeypatch, tmp_path):
    usage = type("Usage", (), {"free": int(free_gb * 1024**3)})
    monkeypatch.setattr(machine.shutil, "disk_usage", lambda path: usage)

    found = list(machine.disks([tmp_path, tmp_path / "not" / "made" / "yet"]))

    assert {one.level for one in found} == {level}
    assert len(found) <= 2


def test_a_look_that_breaks_is_a_finding_without_its_text():
    def look():
        raise OSError("postgresql://user:hunter2@host")

    (found,) = see("database", look)

    assert (found.check, found.level) == ("database", Level.FAIL)
    assert "OSError" in found.message
    assert "hunter2" not in repr(found)


def test_a_look_that_is_refused_says_why_and_what_to_do():
    def look():
        raise bad_input("SETTINGS_INVALID", "DEBUG is no flag.", "Write 1 or 0.")

    (found,) = see("settings", look)

    assert found.message == "SETTINGS_INVALID: DEBUG is no flag."
    assert found.remedy == "Write 1 or 0."


def test_the_lock_file_that_ships_can_be_read():
    wanted = machine._PINNED.findall((Path(machine.__file__).parents[2] / "requirements.lock").read_text())

    assert {"django", "celery", "psycopg"} <= {name for name, _, _ in wanted}
