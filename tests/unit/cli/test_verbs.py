import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.__main__ import VERBS, main

ROOT = Path(__file__).resolve().parents[3]
BROKEN = """---
zap: a-film
version: 2
description: x
budget: {estimate_usd: 0, cap_usd: 1}
steps:
  - id: clip
    kind: image.gen
    promt: x
---
"""
SEVERAL = """---
zap: two-films
version: 1
description: x
inputs: {NIGHT: {type: string}}
budget: {estimate_usd: 0, cap_usd: 1}
steps:
  - {id: day, kind: image.gen, prompt: a lamp, model: fal-ai/flux/dev, candidates: 3, rlhf: true}
  - {id: night, kind: image.gen, prompt: "{NIGHT}", model: fal-ai/flux/dev, when: {NIGHT: given}}
---
"""


def ended(*words):
    return main(list(words))


def test_every_verb_has_a_file_and_every_file_a_verb():
    files = {path.stem.replace("_", "-") for path in (ROOT / "cli" / "verbs").glob("[!_]*.py")}

    assert files | {"help"} == set(VERBS)


def test_an_unknown_verb_is_bad_input(capsys):
    assert ended("fly") == 2
    assert "VERB_UNKNOWN" in capsys.readouterr().err


def test_an_unknown_option_is_one_problem_document_with_json(capsys):
    assert ended("plan", "hello-film", "--jason", "--json") == 2

    assert json.loads(capsys.readouterr().out)["code"] == "USAGE"


@pytest.mark.parametrize("words", [["--json", "hello-film"], ["hello-film", "--json"]])
def test_an_option_never_swallows_the_recipe(words, capsys, monkeypatch):
    monkeypatch.chdir("/")

    assert ended("plan", *words, "--input", "CREATURE=a fox") == 0

    assert json.loads(capsys.readouterr().out)["slug"] == "hello-film"


def test_a_plan_shows_what_is_held_for_several_candidates_and_what_is_skipped(tmp_path, capsys):
    recipe = tmp_path / "Zap.md"
    recipe.write_text(SEVERAL)

    assert ended("plan", str(recipe)) == 0

    said = capsys.readouterr().out
    assert "$0.075 for 3" in said
    assert "skipped" in said


def test_a_plan_above_the_cap_is_refused(capsys):
    assert ended("plan", "hello-film", "--input", "CREATURE=a fox", "--max-usd", "0.01", "--json") == 4

    assert json.loads(capsys.readouterr().out)["code"] == "BUDGET_EXCEEDED"


def test_a_problem_of_a_recipe_is_told_with_its_place(tmp_path, capsys):
    (tmp_path / "Zap.md").write_text(BROKEN)

    assert ended("validate", str(tmp_path)) == 2

    assert f"{tmp_path / 'Zap.md'}:9:5: " in capsys.readouterr().err


def test_validate_says_everything_about_every_file_in_one_document(tmp_path, capsys):
    (tmp_path / "Zap.md").write_text(BROKEN)

    good = str(ROOT / "zaps" / "bundled" / "hello-film")
    assert ended("validate", good, str(tmp_path), str(tmp_path / "none.md"), "--json") == 2

    results = json.loads(capsys.readouterr().out)["results"]
    assert [result["ok"] for result in results] == [True, False, False]
    assert set(results[1]["errors"][0]) == {"code", "message", "line", "column", "path"}
    assert results[2]["errors"][0]["code"] == "FILE_NOT_FOUND"


def test_lint_warns_and_passes(tmp_path, capsys):
    assert ended("lint", str(ROOT / "zaps" / "bundled" / "hello-film"), "--json") == 0

    assert "warnings" in json.loads(capsys.readouterr().out)["results"][0]


@pytest.mark.parametrize("content", [None, b"{}", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_transcript_is_not_played(content, tmp_path, capsys):
    path = tmp_path / "t.json"
    if content is not None:
        path.write_bytes(content)

    assert ended("emulator", "--transcript", str(path), "--json") == 2

    assert json.loads(capsys.readouterr().out)["code"] == "TRANSCRIPT_INVALID"


@pytest.mark.parametrize("verb", ["validate", "lint", "plan"])
def test_what_needs_no_server_imports_no_django(verb):
    recipe = str(ROOT / "zaps" / "bundled" / "hello-film")
    program = "import sys; from cli.__main__ import main; main(sys.argv[1:]); sys.exit('django' in sys.modules)"
    extra = ["--input", "CREATURE=a fox"] if verb == "plan" else []

    done = subprocess.run(
        [sys.executable, "-c", program, verb, recipe, *extra], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
