"""`zap run` on a machine that has nothing yet: servers, tables, recipes and workers come up by themselves."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import imageio_ffmpeg
import psutil
import pytest

from media.probe import probe

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 300


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """The environment of a shell where nothing is set but the data folder."""
    foreign = ("ZAP_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    own = {"ZAPS_DATA_DIR": str(tmp_path_factory.mktemp("zaps")), "PYTHONPATH": str(ROOT)}
    return {**kept, **own, "ZAP_WORK_LEASE_S": "5"}  # how long a dead worker's work lies about


def begin(machine, *words):
    command = [sys.executable, "-m", "cli", *words]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=machine, text=True, **pipes)


def zap(machine, *words):
    """Exit code, stdout and stderr."""
    child = begin(machine, *words)
    out, err = child.communicate(timeout=WITHIN_S)
    return child.returncode, out, err


def wait_for_line(child, text):
    """Reads stderr until a line has `text`."""
    for line in child.stderr:
        if text in line:
            return
    pytest.fail(f"it ended and never said {text!r}")


def workers_of(child):
    for process in psutil.Process(child.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "engine,results,media" in process.cmdline():
                yield process


def make_slow_recipe(folder):
    """Three clips, one after another; the first is being made for longer than the command takes to look again."""
    steps = "\n".join(
        f"  - {{id: clip_{number}, kind: video.gen, provider: mock, duration_s: 3, prompt: a wave, "
        f"params: {{mock: {{latency_s: {4 if number == 1 else 0}}}}}, "
        f"inputs: [{f'clip_{number - 1}' if number > 1 else ''}]}}"
        for number in (1, 2, 3)
    )
    folder.mkdir()
    (folder / "Zap.md").write_text(
        "---\nzap: slow-film\nversion: 2\ndescription: x\nbudget: {estimate_usd: 0, cap_usd: 1}\nsteps:\n"
        f"{steps}\n  - {{id: film, kind: stitch, inputs: [clip_1, clip_2, clip_3]}}\n---\n"
    )
    return str(folder)


def test_one_command_makes_a_film_that_plays(machine):
    code, out, err = zap(machine, "run", "hello-film", "--input", "CREATURE=a fox", "--json")

    assert code == 0, err
    document = json.loads(out)
    assert document["run"]["status"] == "done"
    film = next(asset for asset in document["assets"] if asset["stepId"] == "film")
    found = probe(Path(film["path"]))
    assert (found.kind, found.width, found.height) == ("mp4", 1280, 720)
    assert found.duration_s > Decimal(9)
    assert "film  done" in err
    assert zap(machine, "watch", document["run"]["runId"])[:2] == (0, f"{film['path']}\n")


def make_gated_recipe(folder):
    """Two pictures to pick from, and a clip of the one that was picked."""
    folder.mkdir()
    (folder / "Zap.md").write_text(
        "---\nzap: gated-film\nversion: 2\ndescription: x\nbudget: {estimate_usd: 0, cap_usd: 1}\nsteps:\n"
        "  - {id: door, kind: image.gen, provider: mock, prompt: a door, candidates: 2, rlhf: true}\n"
        "  - {id: film, kind: video.gen, provider: mock, prompt: it opens, duration_s: 1, inputs: [door]}\n---\n"
    )
    return str(folder)


def test_a_run_waits_for_a_person_and_goes_on_with_what_they_pick(machine, tmp_path):
    code, out, err = zap(machine, "run", make_gated_recipe(tmp_path / "film"))
    run_id = out.strip()
    assert code == 3, err
    assert f"zap approve {run_id} [--asset ASSET]" in err

    _, out, _ = zap(machine, "status", run_id, "--json")
    pick = json.loads(out)["steps"][0]["waits"]["choices"][1]
    code, out, err = zap(machine, "approve", run_id, "--asset", pick["assetId"], "--json")

    assert code == 0, err
    document = json.loads(out)
    film = next(asset for asset in document["assets"] if asset["stepId"] == "film")
    assert film["parents"] == [pick["assetId"]]
    assert Path(film["path"]).stat().st_size > 0

    code, out, err = zap(machine, "rerun-from", run_id, "film", "--json")
    assert code == 0, err
    assert [len(step["attempts"]) for step in json.loads(out)["steps"]] == [3, 2]  # two pictures and a judge's look


def test_ctrl_c_detaches_and_watching_brings_the_film(machine, tmp_path):
    child = begin(machine, "run", make_slow_recipe(tmp_path / "film"))
    wait_for_line(child, "clip_1  running")

    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=WITHIN_S)

    run_id = out.strip()
    assert f"zap watch {run_id}" in err
    code, out, _ = zap(machine, "watch", run_id, "--json")
    assert (code, json.loads(out)["run"]["status"]) == (0, "done")


def make_encoder_that_hangs_once(path, begun):
    """An ffmpeg that leaves the file `begun` when it gets to the film, and does not end; the next time it works."""
    begun, real = shlex.quote(str(begun)), shlex.quote(imageio_ffmpeg.get_ffmpeg_exe())
    hang = f"[ -e {begun} ] || {{ : > {begun}; exec sleep 600; }}"
    path.write_text(f'#!/bin/sh\ncase "$*" in *"[film]"*) {hang};; esac\nexec {real} "$@"\n')
    path.chmod(0o755)
    return str(path)


def test_a_killed_worker_is_started_again_and_the_film_is_made(machine, tmp_path):
    begun = tmp_path / "begun"
    encoder = make_encoder_that_hangs_once(tmp_path / "ffmpeg", begun)
    child = begin({**machine, "IMAGEIO_FFMPEG_EXE": encoder}, "run", make_slow_recipe(tmp_path / "film"), "--json")
    assert wait_until(begun.exists)

    next(workers_of(child)).kill()
    out, err = child.communicate(timeout=WITHIN_S)

    assert child.returncode == 0, err
    document = json.loads(out)
    assert document["run"]["status"] == "done"
    assert len(document["assets"]) == 4
    assert document["steps"][3]["attempts"][0]["tries"] == 2  # begun by the dead worker, made by the next


def test_a_database_that_dies_in_mid_run_costs_nothing_but_time(machine, tmp_path):
    child = begin(machine, "run", make_slow_recipe(tmp_path / "film"), "--json")
    wait_for_line(child, "clip_1  running")

    for process in mine(machine):
        with suppress(psutil.NoSuchProcess):  # one that ended by itself, or with the others
            if process.name() == "postgres":
                process.kill()
    out, err = child.communicate(timeout=WITHIN_S)

    assert child.returncode == 0, err
    assert len(json.loads(out)["assets"]) == 4


def test_nothing_is_left_running_when_the_command_has_ended(machine):
    code, _, _ = zap(machine, "status")

    assert code == 0
    assert wait_until(lambda: not mine(machine))


def mine(machine):
    """Processes of that data folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("ZAPS_DATA_DIR") == machine["ZAPS_DATA_DIR"]:
                found.append(process)
        except (psutil.AccessDenied, psutil.NoSuchProcess, psutil.ZombieProcess):
            continue
    return found


def wait_until(true, within_s=WITHIN_S):
    end = time.monotonic() + within_s
    while not (there := true()) and time.monotonic() < end:
        time.sleep(0.2)
    return there
