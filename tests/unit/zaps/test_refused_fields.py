"""What may stand in a recipe and cannot be acted on: refused by name when a plan is made, never silently left."""

import pytest

from zaps.planning.problems import FieldRefused
from zaps.recipe import parse
from zaps.recipe.lint import lint

from .planning import small
from .texts import SMALL, changed

STILL = "  - id: still\n"
CLIP = "    duration_s: 5\n"
FILM = "    inputs: [clip]\n"
TOP = "version: 2\n"
INPUTS = "inputs:\n"
INDENTS = {TOP: "", INPUTS: "  "}

REFUSED = [
    # put behind what, the block, its path, its line
    (STILL, "duration_s: 5", "steps[0].duration_s", 12),
    (STILL, "repeat: {max: 2}", "steps[0].repeat", 12),
    (STILL, "extend: {mode: anchored}", "steps[0].extend", 12),
    (STILL, "audio: {mix: keep}", "steps[0].audio", 12),
    (STILL, "stitch: {fps: 24}", "steps[0].stitch", 12),
    (STILL, "keyframes: {count: 2}", "steps[0].keyframes", 12),
    (STILL, "inputs: [user.NAME]", "steps[0].inputs[0]", 12),
    (STILL, "reference_images: [NAME]", "steps[0].reference_images[0]", 12),
    (STILL, "tier: draft\n    model: m", "steps[0].tier", 12),
    (STILL, "retry: {backoff_s: 3}", "steps[0].retry.backoff_s", 12),
    (STILL, "retry: {max: 0, fallback_model: m}", "steps[0].retry.fallback_model", 12),
    (STILL, "retry: {fallback_provider: fal}", "steps[0].retry.fallback_provider", 12),
    (CLIP, "keyframes: {count: 2}", "steps[1].keyframes", 17),
    (FILM, "prompt: Join them.", "steps[2].prompt", 21),
    (FILM, "provider: fal", "steps[2].provider", 21),
    (FILM, "model: m", "steps[2].model", 21),
    (FILM, "params: {seed: 1}", "steps[2].params", 21),
    (FILM, "shared: true", "steps[2].shared", 21),
    (FILM, "on_unknown: fail", "steps[2].on_unknown", 21),
    (FILM, "duration_s: 5", "steps[2].duration_s", 21),
    (FILM, "candidates: 2", "steps[2].candidates", 21),
    (FILM, "retry: {max: 1, fallback_model: m}", "steps[2].retry.fallback_model", 21),
    (FILM, "first_frame: {from: prev}", "steps[2].first_frame", 21),
    (FILM, "tier: draft\n    stitch: {quality: high}", "steps[2].tier", 21),
    (FILM, "stitch: {engine: hyperframes}", "steps[2].stitch.engine", 21),
    (FILM, "stitch: {template: t}", "steps[2].stitch.template", 21),
    (FILM, "stitch: {inputs: {a: 1}}", "steps[2].stitch.inputs", 21),
    (TOP, "publish: {slug: other-name}", "publish.slug", 4),
    (TOP, "publish: {embed: {width: 640}}", "publish.embed", 4),
    (TOP, "output: Film.webm", "output", 4),
    (TOP, "defaults: {models: {stitch: m}}", "defaults.models.stitch", 4),
    (TOP, "defaults: {models: {keyframes.draft: m}}", "defaults.models.keyframes.draft", 4),
    (INPUTS, "SIZE: {type: string, options: [a]}", "inputs.SIZE.options", 6),
]


def with_block(behind, block):
    return changed(SMALL, behind, f"{behind}{INDENTS.get(behind, '    ')}{block}\n")


@pytest.mark.parametrize(("behind", "block", "path", "line"), REFUSED)
def test_a_field_that_can_do_nothing_is_refused_by_its_name(behind, block, path, line):
    with pytest.raises(FieldRefused) as caught:
        small(with_block(behind, block), mode="mock")

    (problem,) = caught.value.problems
    assert (problem.code, problem.path, problem.line) == ("RECIPE_FIELD_UNUSABLE", path, line)
    assert problem.message.startswith(f"{path}: ")


@pytest.mark.parametrize(("behind", "block"), [
    (STILL, "retry: {max: 0, backoff_s: 0}"),
    (STILL, "judge: {enabled: false}"),
    (STILL, "rlhf: optional"),
    (STILL, "shared: false"),
    (FILM, "retry: {max: 2, backoff_s: 1}"),
    (FILM, "judge: {criteria: [pace]}"),
    (FILM, "rlhf: true"),
    (FILM, "stitch: {engine: local}"),
    (FILM, "stitch: {format: mp4}"),
    (TOP, "publish: {slug: small-one, visibility: private, embed: {enabled: false}}"),
    (TOP, "output: Film.mp4"),
    (TOP, "output: Film"),
])  # fmt: skip
def test_a_field_that_asks_for_nothing_or_is_acted_on_is_let_through(behind, block):
    assert small(with_block(behind, block), mode="mock").warnings == ()


@pytest.mark.parametrize(("kind", "refused"), [
    ("image.upscale", True), ("video.upscale", True), ("audio.tts", True),
    ("image.edit", False), ("video.gen", False), ("video.edit", False),
])  # fmt: skip
def test_an_aspect_is_for_what_has_a_shape_to_choose(kind, refused):
    length = "duration_s: 5, " if kind.startswith("video") else ""
    step = f"  - {{id: odd, kind: {kind}, {length}aspect: '9:16'}}\n  - id: film\n"
    recipe = parse(changed(SMALL, "  - id: film\n", step), {})

    assert ("steps[2].aspect" in {problem.path for problem in lint(recipe)}) is refused


def test_everything_that_is_refused_is_said_at_once_and_by_the_linter_too():
    text = changed(with_block(FILM, "shared: true"), STILL, STILL + "    duration_s: 5\n")

    with pytest.raises(FieldRefused) as caught:
        small(text, mode="mock")

    problems = list(caught.value.problems)
    assert [problem.path for problem in problems] == ["steps[0].duration_s", "steps[2].shared"]
    assert [one for one in lint(parse(text, {})) if one.code == "RECIPE_FIELD_UNUSABLE"] == problems
