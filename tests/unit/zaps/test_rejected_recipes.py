"""Every rule of the language, broken once: which code, at which line and column."""

import pytest

from zaps.recipe import RecipeInvalid, parse

from .texts import SMALL, changed

STILL = "  - id: still\n"
FILM = "    inputs: [clip]\n"
CLIP = "    duration_s: 5\n"
BUDGET = "  estimate_usd: 1\n  cap_usd: 5\n"
NAME = "  NAME: {type: string}\n"
PROMPT = "    prompt: A picture of {NAME}.\n"
EXTEND = "  - id: more\n    kind: video.extend\n    duration_s: 5\n"
LAST = "  - id: film\n"
TUNE = "  - id: tune\n    kind: audio.sfx\n"
IMAGE = "  - id: more_1_frame\n    kind: image.gen\n"
MANY = [f"v{number}" for number in range(9)]

REJECTED = [
    # what is changed, to what, code, line, column
    ("zap: small-one", "zap: Small", "RECIPE_SLUG", 2, 6),
    ("zap: small-one", "zap: ab", "RECIPE_SLUG", 2, 6),
    ("zap: small-one\n", "", "RECIPE_MISSING", 2, 1),
    ("version: 2", "version: 3", "RECIPE_VERSION", 3, 10),
    ("version: 2", "version: 02", "RECIPE_VERSION", 3, 10),
    ("version: 2", "version: 2.0", "RECIPE_VERSION", 3, 10),
    ("version: 2", "version: 2\nversion: 2", "RECIPE_DUPLICATE_KEY", 4, 1),
    ("version: 2", "version: 2\nvershun: 2", "RECIPE_UNKNOWN_KEY", 4, 1),
    ("version: 2", "version: 2\ndefaults: {provider: fall}", "RECIPE_UNKNOWN_PROVIDER", 4, 22),
    ("version: 2", "version: 2\ndefaults: {aspect: wide}", "RECIPE_ASPECT", 4, 20),
    ("version: 2", "version: 2\ndefaults: {models: {video.gem: m}}", "RECIPE_UNKNOWN_KIND", 4, 21),
    ("version: 2", "version: 2\ndefaults: {on_unknown: guess}", "RECIPE_CHOICE", 4, 24),
    ("version: 2", "version: 2\noutput: ../Zap.mp4", "RECIPE_OUTPUT", 4, 9),
    ("version: 2", "version: 2\npublish: {visibility: secret}", "RECIPE_CHOICE", 4, 23),
    ("version: 2", "version: 2\npublish: {embed: {width: 100}}", "RECIPE_RANGE", 4, 26),
    ("version: 2", "version: &v 2", "RECIPE_ALIAS", 3, 10),
    ("version: 2", "version: !!int 2", "RECIPE_TAG", 3, 10),
    ("version: 2", "version: [2", "RECIPE_YAML", 4, 12),
    ("version: 2", 'version: "\\UFFFFFFFF"', "RECIPE_YAML", 3, 13),
    ("version: 2", 'version: "\\0"', "RECIPE_CHARACTER", 3, 10),
    ("version: 2", "version: " + "[" * 40 + "]" * 40, "RECIPE_NESTING", 3, 25),
    ("description: One picture.", "description:", "RECIPE_TYPE", 4, 13),
    ("description: One picture.", "description: \x00", "RECIPE_CHARACTER", 4, 14),
    ("description: One picture.", "description: \udc80", "RECIPE_CHARACTER", 4, 14),
    (BUDGET, "  estimate_usd: 6\n  cap_usd: 5\n", "RECIPE_BUDGET", 8, 17),
    (BUDGET, "  estimate_usd: 1\n  cap_usd: 0\n", "RECIPE_RANGE", 9, 12),
    (BUDGET, "  estimate_usd: 0\n  cap_usd: 0.0000001\n", "RECIPE_RANGE", 9, 12),
    (BUDGET, "  estimate_usd: 1\n  cap_usd: .inf\n", "RECIPE_TYPE", 9, 12),
    (BUDGET, '  estimate_usd: 1\n  cap_usd: "5"\n', "RECIPE_TYPE", 9, 12),
    (BUDGET, "  estimate_usd: 1\n  cap_usd: 010\n", "RECIPE_TYPE", 9, 12),
    (BUDGET, "  estimate_usd: 1\n  cap_usd: 5\n  cap_usd: 5000\n", "RECIPE_DUPLICATE_KEY", 10, 3),
    (BUDGET, "  estimate_usd: 1\n", "RECIPE_MISSING", 8, 3),
    (NAME, "  NAME: {type: strin}\n", "RECIPE_CHOICE", 6, 16),
    (NAME, "  NAME: {type: select}\n", "RECIPE_SELECT_OPTIONS", 6, 9),
    (NAME, "  NAME: {type: select, options: []}\n", "RECIPE_SELECT_OPTIONS", 6, 9),
    (NAME, "  NAME: {type: select, options: [a, a]}\n", "RECIPE_SELECT_OPTIONS", 6, 33),
    (NAME, '  NAME: {type: string, required: "true"}\n', "RECIPE_TYPE", 6, 34),
    (NAME, "  NAME: {type: string, default: x}\n", "RECIPE_UNKNOWN_KEY", 6, 24),
    (NAME, NAME + "  a/b: {type: string}\n", "RECIPE_INPUT_NAME", 7, 3),
    (STILL, "  - id: ../../x\n", "RECIPE_ID", 11, 9),
    (STILL, "  - id: user\n", "RECIPE_ID", 11, 9),
    (STILL, "  - id: clip\n", "RECIPE_DUPLICATE_ID", 14, 9),
    (STILL, STILL + "    promt: x\n", "RECIPE_UNKNOWN_KEY", 12, 5),
    (STILL, STILL + "    provider: fale\n", "RECIPE_UNKNOWN_PROVIDER", 12, 15),
    (STILL, STILL + "    candidates: 17\n", "RECIPE_RANGE", 12, 17),
    (STILL, STILL + "    candidates: 1.5\n", "RECIPE_TYPE", 12, 17),
    (STILL, STILL + "    retry: {max: 9}\n", "RECIPE_RANGE", 12, 18),
    (STILL, STILL + "    tier: best\n", "RECIPE_CHOICE", 12, 11),
    (STILL, STILL + "    rlhf: maybe\n", "RECIPE_TYPE", 12, 11),
    (STILL, STILL + "    judge: {threshold: 1, minScore: 1}\n", "RECIPE_TYPE", 12, 37),
    (STILL, STILL + "    inputs: [user.NAMES]\n", "RECIPE_REF_UNKNOWN", 12, 14),
    (STILL, STILL + "    inputs: [nobody]\n", "RECIPE_REF_UNKNOWN", 12, 14),
    (STILL, STILL + "    inputs: [still]\n", "RECIPE_REF_SELF", 12, 14),
    (STILL, STILL + "    inputs: [clip]\n", "RECIPE_REF_FORWARD", 12, 14),
    (STILL, STILL + "    inputs: [clip.*]\n", "RECIPE_REF_FORWARD", 12, 14),
    (STILL, STILL + "    inputs: still\n", "RECIPE_TYPE", 12, 13),
    ("kind: image.gen", "kind: image.gem", "RECIPE_UNKNOWN_KIND", 12, 11),
    (PROMPT, "    prompt: A picture of {NAMES}.\n", "RECIPE_PROMPT_VARIABLE", 13, 13),
    (PROMPT, "    prompt: prompts/none.md\n", "RECIPE_PROMPT_MISSING", 13, 13),
    (PROMPT, "    prompt: prompts/../../etc/secret.md\n", "RECIPE_PROMPT_PATH", 13, 13),
    (PROMPT, "    prompt: /etc/motd.md\n", "RECIPE_PROMPT_PATH", 13, 13),
    (PROMPT, "    prompt: prompts/a\\..\\b.md\n", "RECIPE_PROMPT_PATH", 13, 13),
    (PROMPT, "    prompt: prompts/look.txt\n", "RECIPE_PROMPT_PATH", 13, 13),
    (PROMPT, "    prompt: prompts/unknown-variable.md\n", "RECIPE_PROMPT_VARIABLE", 13, 13),
    (CLIP, "", "RECIPE_DURATION_MISSING", 14, 5),
    (CLIP, "    duration_s: 0\n", "RECIPE_RANGE", 16, 17),
    (CLIP, "    duration_s: 1:30\n", "RECIPE_TYPE", 16, 17),
    (FILM, "    inputs: [still]\n", "RECIPE_NO_VIDEO", 18, 5),
    (FILM, "    inputs: [clip, user.NAME]\n", "RECIPE_MATERIAL", 20, 20),
    (FILM, "", "RECIPE_NO_VIDEO", 18, 5),
    (FILM, FILM + "    stitch: {format: gif}\n", "RECIPE_CHOICE", 21, 22),
    (FILM, FILM + "    stitch: {fps: 121}\n", "RECIPE_RANGE", 21, 19),
    (FILM, FILM + "    audio: {mix: loud}\n", "RECIPE_CHOICE", 21, 18),
    (LAST, EXTEND + "    repeat: {min: 3, max: 2}\n" + LAST, "RECIPE_REPEAT", 21, 13),
    (LAST, EXTEND + "    repeat: {default: 3, max: 2}\n" + LAST, "RECIPE_REPEAT", 21, 13),
    (LAST, EXTEND + "    repeat: {max: 65}\n" + LAST, "RECIPE_RANGE", 21, 19),
    (LAST, EXTEND + "  - id: more_7\n    kind: image.gen\n" + LAST, "RECIPE_ID_COLLISION", 18, 9),
    (STILL, EXTEND + STILL, "RECIPE_EXTEND_ORPHAN", 11, 5),
    (CLIP, CLIP + "    first_frame: {from: prev}\n", "RECIPE_EXTEND_ORPHAN", 14, 5),
    (CLIP, CLIP + "    first_frame: {from: nobody}\n", "RECIPE_REF_UNKNOWN", 17, 25),
    (CLIP, CLIP + "    first_frame: {from: user.NAME}\n", "RECIPE_MATERIAL", 17, 25),
    (CLIP, CLIP + "    first_frame: {upscale: 8k}\n", "RECIPE_CHOICE", 17, 28),
    (CLIP, CLIP + "    first_frame: {from: still, crop: x}\n", "RECIPE_UNKNOWN_KEY", 17, 32),
    (LAST, TUNE + EXTEND + "    first_frame: {from: tune}\n" + LAST, "RECIPE_MATERIAL", 23, 25),
    (LAST, EXTEND + "    first_frame: {upscale: 2x}\n" + IMAGE + LAST, "RECIPE_ID_COLLISION", 18, 9),
    (STILL, STILL + "    aspect: wide\n", "RECIPE_ASPECT", 12, 13),
    (STILL, STILL + "    judge: {criterion: [a]}\n", "RECIPE_UNKNOWN_KEY", 12, 13),
    (STILL, STILL + "    judge: {threshold: 101}\n", "RECIPE_RANGE", 12, 24),
    (STILL, STILL + "    gate: {timeout_s: 60}\n", "RECIPE_GATE", 12, 11),
    (STILL, STILL + "    rlhf: optional\n    gate: {timeout_s: 60}\n", "RECIPE_GATE", 13, 11),
    (STILL, STILL + "    judge: {enabled: false}\n    gate: {timeout_s: 60}\n", "RECIPE_GATE", 13, 11),
    (STILL, STILL + "    rlhf: true\n    gate: {timeout_s: 0}\n", "RECIPE_RANGE", 13, 23),
    (STILL, STILL + "    rlhf: true\n    gate: {on_timeout: skip}\n", "RECIPE_CHOICE", 13, 24),
    (STILL, STILL + "    rlhf: true\n    gate: {after_s: 60}\n", "RECIPE_UNKNOWN_KEY", 13, 12),
    (STILL, STILL + "    needs: [clip]\n", "RECIPE_REF_FORWARD", 12, 13),
    (STILL, STILL + "    needs: [still]\n", "RECIPE_REF_SELF", 12, 13),
    (STILL, STILL + "    needs: [NAME]\n", "RECIPE_REF_UNKNOWN", 12, 13),
    (STILL, STILL + "    needs: clip\n", "RECIPE_TYPE", 12, 12),
    (CLIP, CLIP + "    needs: [nobody.*]\n", "RECIPE_REF_UNKNOWN", 17, 13),
    (STILL, STILL + "    when: {}\n", "RECIPE_WHEN", 12, 11),
    (STILL, STILL + "    when: given\n", "RECIPE_TYPE", 12, 11),
    (STILL, STILL + "    when: {NAMES: given}\n", "RECIPE_WHEN", 12, 12),
    (STILL, STILL + "    when: {still: given}\n", "RECIPE_WHEN", 12, 12),
    (STILL, STILL + "    when: {NAME: null}\n", "RECIPE_TYPE", 12, 18),
    (STILL, STILL + "    when: {NAME: []}\n", "RECIPE_WHEN", 12, 18),
    (STILL, STILL + "    matrix: {}\n", "RECIPE_MATRIX", 12, 13),
    (STILL, STILL + "    matrix: [a]\n", "RECIPE_TYPE", 12, 13),
    (STILL, STILL + "    matrix: {look: [a]}\n", "RECIPE_MATRIX", 12, 14),
    (STILL, STILL + "    matrix: {NAME: [a]}\n", "RECIPE_MATRIX", 12, 14),
    (STILL, STILL + "    matrix: {LOOK: []}\n", "RECIPE_MATRIX", 12, 20),
    (STILL, STILL + "    matrix: {LOOK: [a, a]}\n", "RECIPE_MATRIX", 12, 20),
    (STILL, STILL + "    matrix: {LOOK: a}\n", "RECIPE_TYPE", 12, 20),
    (STILL, STILL + f"    matrix: {{A: {MANY}, B: {MANY}}}\n", "RECIPE_MATRIX", 12, 13),
    (STILL, STILL + "    matrix: {LOOK: [a, b]}\n", "RECIPE_REF_EXTEND_BASE", 18, 24),
    (FILM, FILM + "    matrix: {LOOK: [a, b]}\n", "RECIPE_MATRIX", 21, 13),
    (LAST, EXTEND + "    matrix: {LOOK: [a, b]}\n" + LAST, "RECIPE_MATRIX", 21, 13),
    (CLIP, CLIP + "    matrix: {A: [x, y]}\n  - id: clip_2\n    kind: image.gen\n", "RECIPE_ID_COLLISION", 14, 9),
    ("version: 2", "version: 2\ndefaults: {models: {video.gen.fast: m}}", "RECIPE_UNKNOWN_KIND", 4, 21),
]
PROMPTS = {"prompts/unknown-variable.md": "Ok.\n  And {NAMES}.\n"}


@pytest.mark.parametrize(("old", "new", "code", "line", "column"), REJECTED)
def test_a_broken_rule_is_reported_with_its_place(old, new, code, line, column):
    source = changed(SMALL, old, new)

    with pytest.raises(RecipeInvalid) as caught:
        parse(source, PROMPTS)

    found = [(problem.code, problem.line, problem.column) for problem in caught.value.problems]
    assert (code, line, column) in found


def test_columns_count_characters_whatever_they_are():
    source = changed(SMALL, "description: One picture.", "description: é😀   ü")
    source = changed(source, "{type: string}", "{hint: é😀é, type: strin}")

    with pytest.raises(RecipeInvalid) as caught:
        parse(source, {})

    (problem,) = caught.value.problems
    assert (problem.code, problem.line, problem.column) == ("RECIPE_CHOICE", 6, 27)


def test_an_extend_is_referred_to_only_with_its_star():
    source = changed(changed(SMALL, LAST, EXTEND + LAST), FILM, "    inputs: [clip, more]\n")

    with pytest.raises(RecipeInvalid) as caught:
        parse(source, {})

    (problem,) = caught.value.problems
    assert (problem.code, problem.line, problem.column) == ("RECIPE_REF_EXTEND_BASE", 23, 20)
    assert "more.*" in problem.message


def test_an_expanded_id_is_no_reference():
    source = changed(changed(SMALL, LAST, EXTEND + LAST), FILM, "    inputs: [clip, more_1]\n")

    with pytest.raises(RecipeInvalid) as caught:
        parse(source, {})

    assert [problem.code for problem in caught.value.problems] == ["RECIPE_REF_UNKNOWN"]


def test_a_name_that_is_both_input_and_step_must_say_which():
    source = changed(changed(SMALL, NAME, NAME + "  still: {type: image}\n"), "[still]", "[still]")

    with pytest.raises(RecipeInvalid) as caught:
        parse(source, {})

    (problem,) = caught.value.problems
    assert (problem.code, problem.line) == ("RECIPE_REF_AMBIGUOUS", 18)


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("", "RECIPE_NO_FRONTMATTER"),
        ("zap: x\n", "RECIPE_NO_FRONTMATTER"),
        ("text\n---\nzap: x\n---\n", "RECIPE_NO_FRONTMATTER"),
        ("  ---\nzap: x\n---\n", "RECIPE_NO_FRONTMATTER"),
        ("---\nzap: x\n", "RECIPE_FRONTMATTER_OPEN"),
        ("---", "RECIPE_FRONTMATTER_OPEN"),
        ("---\n---\n", "RECIPE_TYPE"),
        ("---\n- a\n---\n", "RECIPE_TYPE"),
        ("---\nnothing\n---\n", "RECIPE_TYPE"),
        ("x" * 300_000, "RECIPE_TOO_LARGE"),
        ("---\n" + "# long\n" * 20_000 + "---\n", "RECIPE_TOO_LARGE"),
        ("---\na: &a [x]\nb: [*a, *a]\n---\n", "RECIPE_ALIAS"),
        ("---\na: b\n...\nc: d\n---\n", "RECIPE_YAML"),
        ("---\n? [a]\n: b\n---\n", "RECIPE_YAML"),
    ],
)
def test_a_file_that_is_no_recipe_says_so(source, code):
    with pytest.raises(RecipeInvalid) as caught:
        parse(source, {})

    assert [problem.code for problem in caught.value.problems] == [code]


@pytest.mark.parametrize("path", ["prompts/../x.md", "look.md", "prompts/.hidden.md", "/prompts/x.md", "prompts//x.md"])
def test_a_prompt_file_cannot_lie_outside_of_prompts(path):
    with pytest.raises(RecipeInvalid) as caught:
        parse(SMALL, {path: "text"})

    assert [problem.code for problem in caught.value.problems] == ["RECIPE_PROMPT_PATH"]


def test_all_problems_of_a_file_come_at_once_in_file_order():
    source = changed(SMALL, "zap: small-one", "zap: X")
    source = changed(source, "type: string", "type: strin")
    source = changed(source, FILM, "    inputs: [klip]\n    inputs: [clip]\n")

    with pytest.raises(RecipeInvalid) as caught:
        parse(source, {})

    codes = [(problem.code, problem.line) for problem in caught.value.problems]
    assert codes == [
        ("RECIPE_SLUG", 2),
        ("RECIPE_CHOICE", 6),
        ("RECIPE_REF_UNKNOWN", 20),
        ("RECIPE_DUPLICATE_KEY", 21),
    ]


def test_an_unknown_key_is_answered_with_the_word_that_was_meant():
    source = changed(SMALL, "prompt: A picture", "promt: A picture")

    with pytest.raises(RecipeInvalid) as caught:
        parse(source, {})

    (problem,) = caught.value.problems
    assert problem.path == "steps[0].promt"
    assert 'Did you mean "prompt"?' in problem.message


def test_a_variable_in_a_prompt_file_is_reported_with_its_place_there():
    source = changed(SMALL, PROMPT, "    prompt: prompts/unknown-variable.md\n")

    with pytest.raises(RecipeInvalid) as caught:
        parse(source, PROMPTS)

    assert "prompts/unknown-variable.md, line 2, column 7" in caught.value.problems[0].message


@pytest.mark.parametrize(("condition", "column"), [
    ("{MODE: [fst]}", 18),
    ("{SIZE: [big]}", 18),
    ("{FACE: [https://example.com]}", 18),
])  # fmt: skip
def test_a_condition_on_what_an_input_can_never_be_is_refused(condition, column):
    inputs = "  MODE: {type: select, options: [fast, slow]}\n  SIZE: {type: number}\n  FACE: {type: image}\n"
    source = changed(changed(SMALL, NAME, NAME + inputs), STILL, STILL + f"    when: {condition}\n")

    with pytest.raises(RecipeInvalid) as caught:
        parse(source, {})

    assert [(one.code, one.line, one.column) for one in caught.value.problems] == [("RECIPE_WHEN", 15, column)]
