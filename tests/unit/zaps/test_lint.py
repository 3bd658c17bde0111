import pytest

from zaps.recipe import parse
from zaps.recipe.lint import lint

from .texts import SMALL, changed

TIDY = changed(SMALL, "    reference_images: [still]\n", "    reference_images: [still]\n    prompt: It moves.\n")
STILL = "  - id: still\n"
DRAFT = "defaults: {models: {image.gen: m, image.gen.draft: m}}\n"
CLIP = "    duration_s: 5\n"


@pytest.mark.parametrize(("old", "new", "code", "path", "line"), [
    ("  - id: film\n    kind: stitch\n    inputs: [clip]\n", "", "LINT_NO_STITCH", "steps", 11),
    ("cap_usd: 5", "cap_usd: 5.01", "LINT_CAP_FAR_ABOVE", "budget.cap_usd", 9),
    ("estimate_usd: 1", "estimate_usd: 0", "LINT_NO_ESTIMATE", "budget.estimate_usd", 8),
    ("{NAME}", "her", "LINT_INPUT_UNUSED", "inputs.NAME", 6),
    ("    reference_images: [still]\n", "", "LINT_STEP_UNUSED", "steps[0].id", 11),
    ("    prompt: It moves.\n", "", "LINT_NO_PROMPT", "steps[1]", 14),
    ("kind: image.gen", "kind: image.edit", "LINT_NOTHING_TO_EDIT", "steps[0]", 11),
    ("NAME: {type: string}", "NAME: {type: image}", "LINT_MEDIA_IN_PROMPT", "steps[0].prompt", 13),
    (STILL, STILL + "    candidates: 2\n", "LINT_NOBODY_CHOOSES", "steps[0].candidates", 12),
    (CLIP, CLIP + "    matrix: {LOOK: [a]}\n", "LINT_MATRIX_UNUSED", "steps[1].matrix.LOOK", 17),
    ("version: 2\n", f"version: 2\n{DRAFT}", "LINT_MODEL_UNUSED", "defaults.models.image.gen.draft", 4),
    (STILL, STILL + "    duration_s: 5\n", "RECIPE_FIELD_UNUSABLE", "steps[0].duration_s", 12),
])  # fmt: skip
def test_what_is_allowed_and_unwise_is_said(old, new, code, path, line):
    warnings = lint(parse(changed(TIDY, old, new).replace("[clip]", "[clip.*]"), {}))

    assert (code, path) in {(warning.code, warning.path) for warning in warnings}
    assert next(warning.line for warning in warnings if warning.code == code) == line


def test_a_condition_that_always_holds_is_said():
    text = changed(
        changed(TIDY, "{type: string}", "{type: string, required: true}"), STILL, STILL + "    when: {NAME: given}\n"
    )

    assert [(warning.code, warning.line) for warning in lint(parse(text, {}))] == [("LINT_WHEN_SETTLED", 12)]


def test_a_tidy_recipe_has_no_warnings():
    assert lint(parse(TIDY, {})) == []


def test_a_prompt_file_that_no_step_uses_is_said():
    assert [warning.path for warning in lint(parse(TIDY, {"prompts/old.md": "x"}))] == ["prompts[prompts/old.md]"]


def test_a_default_below_the_least_count_is_said():
    more = (
        "  - id: more\n    kind: video.extend\n    duration_s: 5\n    prompt: On.\n    repeat: {min: 2, default: 1}\n"
    )
    text = changed(TIDY, "  - id: film\n", more + "  - id: film\n").replace("inputs: [clip]", "inputs: [clip, more.*]")

    assert [warning.code for warning in lint(parse(text, {}))] == ["LINT_REPEAT_DEFAULT"]
