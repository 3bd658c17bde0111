"""One step that becomes several, steps that wait for others, and what a clip begins with."""

from decimal import Decimal

import pytest

from core.errors import BadInput
from providers.prices import Quote
from zaps.planned import InputRef, Role, Source
from zaps.planning.problems import ProviderUnsupported

from .planning import Willing, installed, plan, small
from .texts import SMALL, WORLD_CUP, changed

STILL = "  - id: still\n"
CLIP = "    duration_s: 5\n"
PROMPT = "    prompt: A picture of {NAME}.\n"
CHAIN = "    extend: {mode: chain}\n"
FRAME = "    first_frame: {from: prev.last_frame}\n"


def frame_of(name):
    return InputRef(source=Source.STEP, name=name, role=Role.FIRST_FRAME)


def matrix(block, prompt):
    text = changed(SMALL, PROMPT, f"    matrix: {block}\n    prompt: {prompt}\n")
    return changed(text, "reference_images: [still]", "reference_images: [still.*]")


def test_a_matrix_makes_a_step_for_each_permutation_the_last_variable_changing_fastest():
    made = small(
        matrix("{LOOK: [noir, anime], TIME: [day, night]}", "'{NAME}, {LOOK}, by {TIME}'"), inputs={"NAME": "Ada"}
    )

    assert [(step.step_id, step.prompt) for step in made.steps[:4]] == [
        ("still_1", "Ada, noir, by day"),
        ("still_2", "Ada, noir, by night"),
        ("still_3", "Ada, anime, by day"),
        ("still_4", "Ada, anime, by night"),
    ]
    assert made.steps[4].parents == ("still_1", "still_2", "still_3", "still_4")
    assert {step.recipe_step for step in made.steps[:4]} == {"still"}
    assert made.quote_usd == made.steps[4].quote_usd + 4 * made.steps[0].quote_usd


def test_a_value_of_a_matrix_is_put_in_once():
    made = small(matrix("{LOOK: ['{NAME}']}", "'{LOOK}'"), inputs={"NAME": "Ada"})

    assert made.steps[0].prompt == "{NAME}"


def test_a_step_can_wait_for_others_without_using_what_they_make():
    text = changed(WORLD_CUP, "    inputs: [sketch]\n", "    inputs: [sketch]\n    needs: [sketch]\n")
    text = changed(
        text,
        "  - id: finalize\n",
        "  - id: late\n    kind: image.gen\n    needs: [extend.*, sheet]\n  - id: finalize\n",
    )

    made = {step.step_id: step for step in plan(text, mode="mock", extend_count=2).steps}

    assert (made["late"].parents, made["late"].inputs) == (("extend_1", "extend_2", "sheet"), ())
    assert made["sheet"].parents == ("sketch",)


def test_waiting_for_a_clip_is_not_having_one():
    text = changed(WORLD_CUP, "inputs: [opening, extend.*]", "inputs: [extend.*]\n    needs: [opening]")

    with pytest.raises(BadInput) as caught:
        plan(text, mode="mock", extend_count=0)

    assert [problem.code for problem in caught.value.problems] == ["RECIPE_NO_VIDEO"]


def test_anchored_extends_all_start_from_the_clip_and_run_side_by_side():
    made = plan(changed(WORLD_CUP, "{mode: chain}", "{mode: anchored}"), extend_count=3)

    assert [(step.inputs, step.parents) for step in made.steps[3:6]] == [((frame_of("opening"),), ("opening",))] * 3


def test_a_first_frame_is_made_larger_in_a_step_of_its_own():
    made = plan(changed(WORLD_CUP, FRAME, "    first_frame: {from: prev.last_frame, upscale: 4k}\n"), extend_count=2)

    steps = [(step.step_id, step.kind, step.inputs, step.parents) for step in made.steps[3:7]]
    assert steps == [
        ("extend_1_frame", "image.upscale", (frame_of("opening"),), ("opening",)),
        ("extend_1", "video.extend", (frame_of("extend_1_frame"),), ("extend_1_frame",)),
        ("extend_2_frame", "image.upscale", (frame_of("extend_1"),), ("extend_1",)),
        ("extend_2", "video.extend", (frame_of("extend_2_frame"),), ("extend_2_frame",)),
    ]
    frame = made.steps[3]
    assert (frame.params, frame.provider, frame.model, frame.duration_s) == (
        {"scale": "4k"}, "gmi", "gmi/image.upscale", None,
    )  # fmt: skip
    assert made.steps[-1].parents == ("opening", "extend_1", "extend_2")


def test_anchored_extends_share_one_larger_frame():
    text = changed(WORLD_CUP, "{mode: chain}", "{mode: anchored}")
    text = changed(text, FRAME, "    first_frame: {upscale: 2x}\n")

    made = plan(text, mode="mock", extend_count=3)

    assert [step.step_id for step in made.steps[3:7]] == ["extend_1_frame", "extend_1", "extend_2", "extend_3"]
    assert {step.parents for step in made.steps[4:7]} == {("extend_1_frame",)}


def test_a_larger_frame_is_tried_again_as_its_step_is_and_not_judged():
    looked_at = "    judge: {}\n    rlhf: true\n    candidates: 2\n"
    retry = "    retry: {max: 2, fallback_model: seedance-2-0-260128}\n"
    text = changed(WORLD_CUP, FRAME, "    first_frame: {upscale: 2x}\n" + retry + looked_at)

    frame = plan(text, mode="mock", extend_count=1).steps[3]

    assert (frame.retry.max, frame.retry.has_fallback) == (2, False)
    assert (frame.judge, frame.gate, frame.candidates) == (None, None, 1)


def test_a_frame_is_made_larger_by_another_provider_where_the_own_one_cannot():
    text = changed(WORLD_CUP, FRAME, "    first_frame: {upscale: 4k}\n")
    gmi = Willing("gmi", refuses=["image.upscale"])

    with pytest.raises(ProviderUnsupported) as caught:
        plan(text, extend_count=1, providers=installed(gmi, Willing("fal", refuses=["image.upscale"])))
    assert [problem.path for problem in caught.value.problems] == ["steps[3].first_frame.upscale"]

    made = plan(text, mode="plan", extend_count=1, providers=installed(gmi, Willing("fal")), prices=Free())
    assert made.steps[3].provider == "fal"


def test_a_caller_who_names_the_provider_names_that_of_the_larger_frames_too():
    text = changed(SMALL, CLIP, CLIP + "    first_frame: {from: still, upscale: 2x}\n")
    lazy = Willing("mock", refuses=["image.upscale"])

    with pytest.raises(ProviderUnsupported) as caught:
        small(text, provider="mock", providers=installed(lazy, Willing("fal")))

    assert [problem.path for problem in caught.value.problems] == ["steps[1].first_frame.upscale"]


class Free:
    def quote(self, provider, model, **asked):
        return Quote(usd=Decimal(0), price=None)


def test_an_extend_can_begin_with_a_picture_or_with_the_frame_of_another_step():
    for written in ("sheet", "sheet.last_frame"):
        text = changed(WORLD_CUP, FRAME, f"    first_frame: {{from: {written}}}\n")
        made = plan(text, mode="mock", extend_count=2)

        assert [step.inputs for step in made.steps[3:5]] == [(frame_of("sheet"),), (frame_of("extend_1"),)]


def test_a_clip_can_begin_where_the_one_before_ended():
    text = changed(
        SMALL,
        "  - id: film\n",
        "  - id: next\n    kind: video.gen\n    duration_s: 5\n    first_frame: {from: prev}\n  - id: film\n",
    )

    assert small(text, mode="mock").steps[2].inputs == (frame_of("clip"),)


def test_what_a_clip_begins_with_goes_in_once():
    text = changed(WORLD_CUP, FRAME, "    first_frame: {from: sheet}\n    inputs: [sheet, user.image]\n")

    made = plan(text, mode="mock", extend_count=1)

    assert made.steps[3].inputs == (frame_of("sheet"), InputRef(source=Source.USER, name="image", media="image"))
