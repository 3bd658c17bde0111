"""A provider of somebody else's: built, installed, planned, bought from; and what it costs when others are broken."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uv

from media.probe import probe
from tests.plug_ins import install

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "provider"
RECIPE = str(EXAMPLE / "lighthouse")
WITHIN_S = 300
LEFT_OUT = {
    "ends": "It broke while it was loaded: SystemExit. The log says where.",
    "hollow": "Its module plugged_hollow has no PROVIDER.",
    "needy": "It needs a_library_of_theirs, which is missing or has changed.",
    "thief": "Something else is called 'fal' already.",
}
BROKEN = {
    "ends": "import sys; sys.exit(1)",
    "hollow": "",
    "needy": "import a_library_of_theirs",
    "thief": "from providers.adapters.mock import Mock\nclass Thief(Mock):\n    name = 'fal'\nPROVIDER = Thief()",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder with the example as an installer leaves it, its prices read today, and four packages that are broken."""
    folder = tmp_path_factory.mktemp("third")
    copy = shutil.copytree(EXAMPLE, folder / "provider", ignore=shutil.ignore_patterns("__pycache__"))
    adapter = copy / "zaps_lumen" / "__init__.py"
    today = f"date({datetime.now(UTC):%Y, %-m, %-d})"
    text, dated = re.subn(r"date\(2\d+, \d+, \d+\)", today, adapter.read_text("utf-8"))
    assert dated == 1
    adapter.write_text(text)
    run(uv.find_uv_bin(), "build", "--offline", "--wheel", "--out-dir", folder, copy)
    (wheel,) = folder.glob("*.whl")
    run(uv.find_uv_bin(), "pip", "install", "--offline", "--no-deps", "--python", sys.executable, "--target",
        folder / "site", wheel)  # fmt: skip
    shutil.rmtree(copy / "zaps_lumen")  # what the tests see is the wheel's
    for name, text in BROKEN.items():
        install(folder / "site", name, text, {"providers.adapters": f"{name} = plugged_{name}:PROVIDER"})
    return folder / "site"


@pytest.fixture(scope="module")
def shell(site, tmp_path_factory):
    """The environment of a shell on a machine where nothing but that is installed and set."""
    foreign = ("ZAP_", "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_", "LUMEN_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    paths = os.pathsep.join(map(str, (ROOT, site)))
    return {**kept, "ZAPS_DATA_DIR": str(tmp_path_factory.mktemp("zaps")), "PYTHONPATH": paths}


@pytest.fixture(scope="module")
def lumen(shell):
    """The emulator as a process of its own; Lumen's address."""
    command = [sys.executable, "-m", "providers.emulator", "--json", "--queue-s", "0", "--run-s", "0.5"]
    with subprocess.Popen(command, env=shell, stdout=subprocess.PIPE, text=True) as emulator:
        yield json.loads(emulator.stdout.readline())["lumen"]
        emulator.terminate()


@pytest.fixture
def live(shell, lumen):
    """The shell of somebody who buys there."""
    return {**shell, "LUMEN_BASE_URL": lumen, "LUMEN_API_KEY": "a-key", "ZAP_ALLOW_LOOPBACK": "1"}


def run(*command, **options):
    done = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, timeout=WITHIN_S, check=False, **options
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout


def zap(shell, *words):
    return run(sys.executable, "-m", "cli", *words, env=shell, cwd=ROOT)


def test_the_example_s_own_tests_pass_where_it_is_installed(site, shell):
    said = run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", site.parent / "provider",
               env=shell, cwd=site)  # fmt: skip

    assert int(re.search(r"(\d+) passed", said)[1]) > 100


def test_a_recipe_that_names_it_is_planned_with_its_prices(shell):
    plan = json.loads(zap(shell, "plan", RECIPE, "--json"))

    assert [(step["provider"], step["model"], step["quoteUsd"]) for step in plan["steps"]] == [
        ("lumen", "lumen-still", 0.02),
        ("lumen", "lumen-motion", 0.25),
    ]


def test_it_is_known_and_the_broken_are_named_with_their_packages(live):
    info = json.loads(zap(live, "info", "--json"))

    assert {"name": "lumen", "keyVariable": "LUMEN_API_KEY", "hasKey": True}.items() <= next(
        one.items() for one in info["providers"] if one["name"] == "lumen"
    )
    assert {one["package"]: one["why"] for one in info["leftOut"]} == {
        f"{name} 1.0": why for name, why in LEFT_OUT.items()
    }


def test_a_live_run_buys_each_step_once_and_brings_home_what_plays(live, lumen):
    document = json.loads(zap(live, "run", RECIPE, "--mode", "live", "--yes", "--json"))

    assert (document["run"]["status"], document["run"]["providerMode"]) == ("done", "live")
    assert [(step["provider"], step["actualUsd"]) for step in document["steps"]] == [("lumen", 0.02), ("lumen", 0.25)]
    assert document["run"]["costUsd"] == 0.27
    still, wave = (probe(Path(asset["path"])) for asset in document["assets"])
    assert (still.kind, wave.kind, round(wave.duration_s)) == ("png", "mp4", 5)
    with urllib.request.urlopen(f"{lumen}/__emu__/log", timeout=10) as answer:
        journal = json.load(answer)
    assert [one["model"] for one in journal["submissions"]] == ["lumen-still", "lumen-motion"]
    assert journal["accepted"]["total"] == len(journal["accepted"]["byIdemKey"]) == 2
