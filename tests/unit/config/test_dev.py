"""The set-up script, where it can be judged without installing anything."""

import ast
import importlib.machinery
import importlib.util
import json
import os
import subprocess
import sys

import pytest

from config.local import BASE_DIR


@pytest.fixture
def dev(tmp_path, monkeypatch):
    """The script as a module that works on a checkout with a space in its path."""
    loader = importlib.machinery.SourceFileLoader("dev_script", str(BASE_DIR / "dev"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("dev_script", loader))
    loader.exec_module(module)
    root = tmp_path / "my checkout"
    (root / ".venv" / "bin").mkdir(parents=True)
    (root / "requirements.lock").write_text("one")
    (root / "requirements-dev.lock").write_text("two")
    monkeypatch.setattr(module, "ROOT", root)
    monkeypatch.setattr(module, "VENV", root / ".venv")
    monkeypatch.setattr(module, "PYTHON", root / ".venv" / "bin" / "python")
    monkeypatch.setattr(module, "STAMP", root / ".venv" / "stamp")
    monkeypatch.setattr(
        module, "LOCKS", {"run": root / "requirements.lock", "dev": root / "requirements-dev.lock"}
    )  # fmt: skip
    return module


def test_it_needs_the_standard_library_alone():
    tree = ast.parse((BASE_DIR / "dev").read_text())
    names = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }

    assert names <= sys.stdlib_module_names


def test_a_python_that_is_too_old_can_still_read_it():
    ast.parse((BASE_DIR / "dev").read_text(), feature_version=(3, 7))


def test_help_lists_every_verb(dev):
    done = subprocess.run([sys.executable, str(BASE_DIR / "dev")], capture_output=True, text=True, check=True)

    assert all(f"./dev {verb}" in done.stdout for verb in dev.VERBS)


def test_an_unknown_verb_is_refused_with_advice():
    done = subprocess.run([sys.executable, str(BASE_DIR / "dev"), "tset"], capture_output=True, text=True, check=False)

    assert done.returncode == 2
    assert done.stderr == "There is no verb 'tset'. `./dev help` lists them.\n"


def test_a_set_up_that_matches_its_lock_is_left_alone(dev):
    dev.PYTHON.touch()
    dev.STAMP.write_text(json.dumps({"run": dev.digest(dev.LOCKS["run"])}))

    assert dev.is_set_up("run")
    assert not dev.is_set_up("dev")

    dev.LOCKS["run"].write_text("another")
    assert not dev.is_set_up("run")


def test_the_tools_set_up_serves_the_plain_verbs_too(dev):
    dev.PYTHON.touch()
    dev.STAMP.write_text(json.dumps({"dev": dev.digest(dev.LOCKS["dev"])}))

    assert dev.is_set_up("run")


@pytest.mark.parametrize("stamp", [None, "", "{", "[]"])
def test_a_torn_stamp_means_set_up_again(dev, stamp):
    dev.PYTHON.touch()
    if stamp is not None:
        dev.STAMP.write_text(stamp)

    assert not dev.is_set_up("run")


def test_a_uv_that_does_not_answer_is_none(dev, tmp_path, monkeypatch):
    shim = tmp_path / "uv"
    shim.write_text("#!/bin/sh\nexit 127\n")
    shim.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert dev.find_uv() is None

    shim.write_text("#!/bin/sh\nexit 0\n")
    assert dev.find_uv() == str(shim)


def test_without_the_venv_package_it_names_the_package(dev, monkeypatch):
    broken = dev.ROOT / "python"
    broken.write_text("#!/bin/sh\necho 'ensurepip is not available.'\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(broken))

    with pytest.raises(SystemExit, match=r"apt install python3\.\d+-venv"):
        dev.make_venv(None)


def test_on_embedded_servers_it_is_development_and_elsewhere_what_the_operator_says(dev, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DEBUG", raising=False)
    assert dev.environment()["DEBUG"] == "1"

    monkeypatch.setenv("DATABASE_URL", "postgresql://host/db")
    assert "DEBUG" not in dev.environment()


def test_the_film_of_a_run_is_the_asset_that_its_address_names(dev):
    film = {"kind": "mp4", "url": "/api/assets/b", "path": "/m/film.mp4"}
    clip = {"kind": "mp4", "url": "/api/assets/a", "path": "/m/clip.mp4"}

    assert dev.film_of({"run": {"zapUrl": "/api/assets/b"}, "assets": [film, clip]}) == "/m/film.mp4"
    assert dev.film_of({"run": {"zapUrl": None}, "assets": [film, clip]}) == "/m/clip.mp4"
    assert dev.film_of({"run": {}, "assets": [{"kind": "mp4", "url": "https://x/f", "path": None}]}) == "https://x/f"


def test_ci_checks_the_clients_too_and_ends_with_every_test():
    assert os.access(BASE_DIR / ".ci" / "run", os.X_OK)
    lines = (BASE_DIR / ".ci" / "run").read_text().splitlines()
    assert lines[-4:-2] == ["./dev check", "./dev types --check"]
    assert lines[-1] == './dev test --all "$@"'
