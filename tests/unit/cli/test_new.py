import json
from pathlib import Path

import pytest

from cli.__main__ import main
from zaps.bundled import bundled


def ended(*words):
    return main(list(words))


def test_a_new_recipe_is_valid_and_has_no_warning(tmp_path, capsys):
    assert ended("new", str(tmp_path / "paper-boat"), "--json") == 0
    made = json.loads(capsys.readouterr().out)

    assert made["slug"] == "paper-boat"
    assert ended("lint", made["file"], "--json") == 0
    assert json.loads(capsys.readouterr().out)["results"][0] == {
        "file": made["file"],
        "ok": True,
        "errors": [],
        "warnings": [],
    }


def test_a_new_recipe_asks_for_nothing_and_stays_below_its_own_cap(tmp_path, capsys):
    ended("new", str(tmp_path / "paper-boat"))
    capsys.readouterr()

    assert ended("plan", str(tmp_path / "paper-boat"), "--json") == 0

    plan = json.loads(capsys.readouterr().out)
    assert plan["slug"] == "paper-boat"
    assert 0 < plan["mostUsd"] <= plan["capUsd"]


@pytest.mark.parametrize("slug", [one.slug for one in bundled()])
def test_a_copy_of_a_bundled_recipe_has_its_own_name_and_all_prompts(slug, tmp_path, capsys):
    assert ended("new", str(tmp_path / "my-copy"), "--from", slug) == 0

    assert ended("validate", str(tmp_path / "my-copy")) == 0
    assert "zap: my-copy\n" in (tmp_path / "my-copy" / "Zap.md").read_text()
    original = Path("zaps/bundled") / slug / "prompts"
    assert {path.name for path in (tmp_path / "my-copy" / "prompts").iterdir()} == {
        path.name for path in original.iterdir()
    }


def test_nothing_that_is_there_is_written_over(tmp_path, capsys):
    (tmp_path / "paper-boat").mkdir()
    (tmp_path / "paper-boat" / "notes.txt").write_text("mine")

    assert ended("new", str(tmp_path / "paper-boat")) == 2

    assert "FOLDER_NOT_EMPTY" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "paper-boat").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("name", ["Paper", "a", "paper_boat", "-boat", "x" * 65])
def test_a_name_that_is_no_slug_is_refused(name, tmp_path, capsys):
    assert ended("new", str(tmp_path / name)) == 2

    assert "SLUG_INVALID" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("x")

    assert ended("new", str(tmp_path / "file" / "paper-boat")) == 2

    assert "FOLDER_UNWRITABLE" in capsys.readouterr().err
