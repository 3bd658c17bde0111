"""`when`: a step that is not made this time, and what becomes of the steps around it."""

import pytest

from core.errors import BadInput

from .planning import Willing, installed, plan, small

HEAD = """\
---
zap: some-film
version: 2
description: x
inputs:
  LOGO: {type: image}
  STYLE: {type: select, options: [noir, anime]}
  COUNT: {type: number}
  NOTE: {type: string}
budget: {estimate_usd: 1, cap_usd: 50}
steps:
"""
LOGO = "https://example.com/logo.png"


def recipe(*steps):
    return HEAD + "".join(f"  - {{{step}}}\n" for step in steps) + "---\n"


CLIP = "id: clip, kind: video.gen, duration_s: 5"
FILM = "id: film, kind: stitch, inputs: [clip, title]"
STILL = "id: still, kind: image.gen, when: {LOGO: given}"
TITLE = "id: title, kind: video.gen, duration_s: 5, when: {LOGO: given}"
MORE = "id: more, kind: video.extend, duration_s: 5, repeat: {min: 1}"


def made(condition, **values):
    step = f"id: title, kind: video.gen, duration_s: 5, when: {condition}"
    return not small(recipe(CLIP, step, FILM), inputs=values).steps[1].skipped


@pytest.mark.parametrize(("condition", "values", "is_made"), [
    ("{LOGO: given}", {"LOGO": LOGO}, True),
    ("{LOGO: given}", {}, False),
    ("{LOGO: missing}", {"LOGO": LOGO}, False),
    ("{LOGO: missing}", {}, True),
    ("{NOTE: given}", {"NOTE": "  "}, False),
    ("{NOTE: [given]}", {"NOTE": "given"}, True),
    ("{NOTE: [given]}", {"NOTE": "Given"}, False),
    ("{STYLE: noir}", {"STYLE": "noir"}, True),
    ("{STYLE: noir}", {"STYLE": "anime"}, False),
    ("{STYLE: [noir, anime]}", {"STYLE": "anime"}, True),
    ("{STYLE: [noir]}", {"STYLE": "anime"}, False),
    ("{STYLE: [noir]}", {}, False),
    ("{COUNT: [5]}", {"COUNT": 5.0}, True),
    ("{COUNT: [5.0, 7]}", {"COUNT": 5}, True),
    ("{COUNT: [5]}", {"COUNT": 0}, False),
    ("{COUNT: given}", {"COUNT": 0}, True),
    ("{STYLE: [noir], NOTE: missing}", {"STYLE": "noir"}, True),
    ("{STYLE: [noir], NOTE: missing}", {"STYLE": "noir", "NOTE": "x"}, False),
])  # fmt: skip
def test_a_step_is_made_when_every_condition_holds(condition, values, is_made):
    assert made(condition, **values) is is_made


def test_a_step_that_is_not_made_costs_nothing_and_asks_nobody():
    title = "id: title, kind: video.gen, duration_s: 5, candidates: 4, provider: vertex, when: {LOGO: given}"
    fal = Willing("fal")

    done = small(recipe(CLIP, title, FILM), providers=installed(fal))

    clip, skipped, film = done.steps
    assert (skipped.skipped, skipped.quote_usd, skipped.first_usd, skipped.parents) == (True, 0, 0, ())
    assert (skipped.provider, skipped.kind, done.quote_usd) == ("vertex", "video.gen", clip.quote_usd)
    assert film.parents == ("clip",)
    assert len(fal.asked) == 1


def test_a_reference_to_a_step_that_is_not_made_leaves_nothing_behind():
    logo = "id: logo, kind: image.gen, when: {LOGO: given}"
    clip = "id: clip, kind: video.gen, duration_s: 5, reference_images: [logo], needs: [logo]"

    step = small(recipe(logo, clip)).steps[1]

    assert (step.inputs, step.parents) == ((), ())


def test_one_of_two_ways_is_taken():
    noir = "id: noir, kind: video.gen, duration_s: 5, when: {STYLE: [noir]}"
    anime = "id: anime, kind: video.gen, duration_s: 5, when: {STYLE: [anime]}"
    film = "id: film, kind: stitch, inputs: [noir, anime]"

    assert small(recipe(noir, anime, film), inputs={"STYLE": "anime"}).steps[2].parents == ("anime",)


def test_an_extend_goes_on_from_the_nearest_clip_that_is_made():
    title = "id: title, kind: video.gen, duration_s: 5, when: {LOGO: given}"
    more = "id: more, kind: video.extend, duration_s: 5, repeat: {min: 1}"

    assert small(recipe(CLIP, title, more), mode="mock").steps[2].parents == ("clip",)


@pytest.mark.parametrize(("steps", "path"), [
    ([STILL, "id: edit, kind: image.edit, inputs: [still]"], "steps[2].inputs"),
    ([STILL, "id: edit, kind: image.edit, reference_images: [still]"], "steps[2].reference_images"),
    ([TITLE, "id: film, kind: stitch, inputs: [title]"], "steps[2]"),
    ([TITLE, f"{MORE}, inputs: [title]"], "steps[2].inputs"),
    ([STILL, f"{MORE}, first_frame: {{from: still}}"], "steps[2].first_frame.from"),
])  # fmt: skip
def test_a_step_whose_material_is_not_made_is_refused(steps, path):
    text = recipe(CLIP, *steps)

    with pytest.raises(BadInput) as caught:
        small(text, mode="mock")
    (problem,) = caught.value.problems
    assert (problem.code in ("PLAN_MATERIAL_MISSING", "RECIPE_NO_VIDEO"), problem.path) == (True, path)
    assert small(text, mode="mock", inputs={"LOGO": LOGO}).steps


def test_material_that_the_caller_gave_is_enough():
    still = "id: still, kind: image.gen, when: {STYLE: [noir]}"
    edit = "id: edit, kind: image.edit, inputs: [user.LOGO, still]"

    assert small(recipe(still, edit), mode="mock", inputs={"LOGO": LOGO}).steps[1].inputs[0].name == "LOGO"


def test_a_repeated_step_that_is_not_made_lists_its_copies_as_skipped():
    more = "id: more, kind: video.extend, duration_s: 5, repeat: {default: 2}, when: {LOGO: given}"

    steps = small(recipe(CLIP, more, "id: film, kind: stitch, inputs: [clip, more.*]"), mode="mock").steps

    assert [(step.step_id, step.skipped) for step in steps] == [
        ("clip", False), ("more_1", True), ("more_2", True), ("film", False),
    ]  # fmt: skip


def test_a_film_that_is_not_made_needs_no_clip():
    steps = small(recipe(CLIP, "id: film, kind: stitch, inputs: [clip], when: {LOGO: given}")).steps

    assert [(step.skipped, step.provider) for step in steps] == [(False, "fal"), (True, "local")]


def test_a_run_that_would_make_nothing_is_refused():
    with pytest.raises(BadInput) as caught:
        small(recipe("id: still, kind: image.gen, when: {LOGO: given}"))

    assert [(problem.code, problem.path) for problem in caught.value.problems] == [("PLAN_EMPTY", "steps")]


def test_a_recipe_without_conditions_makes_every_step():
    assert not any(step.skipped for step in plan().steps)
