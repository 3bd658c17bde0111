from decimal import Decimal

import pytest

from core.errors import BadInput, OverBudget
from zaps.planned import InputRef, Role, Source

from .planning import plan, small
from .texts import INPUTS, SMALL, WORLD_CUP, changed


@pytest.mark.parametrize(("extends", "total"), [(None, "1.10"), (0, "1.10"), (3, "4.25"), (13, "14.75")])
def test_a_quote_is_the_sum_of_its_steps(extends, total):
    assert plan(extend_count=extends).quote_usd == Decimal(total)


def test_one_clip_more_than_the_cap_allows_is_refused_with_the_sum_broken_down():
    with pytest.raises(OverBudget) as caught:
        plan(extend_count=14)

    extra = caught.value.extra
    assert (extra["quoteUsd"], extra["capUsd"], len(extra["steps"])) == (15.8, 15.0, 17)
    assert extra["steps"][2] == {
        "stepId": "opening", "model": "seedance-2-0-260128", "quoteUsd": 1.05, "candidates": 1, "firstUsd": 1.05,
    }  # fmt: skip


def test_a_run_may_cost_exactly_its_cap():
    text = changed(SMALL, "cap_usd: 5", "cap_usd: 1")

    assert small(text).quote_usd == 1


def test_a_caller_can_lower_the_cap_and_not_raise_it():
    assert plan(max_usd=Decimal(100)).cap_usd == Decimal(15)
    with pytest.raises(OverBudget):
        plan(max_usd=Decimal(1))


def test_a_repeated_step_becomes_numbered_steps_that_follow_each_other():
    made = plan(extend_count=3)

    assert [(step.step_id, step.parents) for step in made.steps] == [
        ("sketch", ()),
        ("sheet", ("sketch",)),
        ("opening", ("sheet",)),
        ("extend_1", ("opening",)),
        ("extend_2", ("extend_1",)),
        ("extend_3", ("extend_2",)),
        ("finalize", ("opening", "extend_1", "extend_2", "extend_3")),
    ]
    assert made.steps[4].inputs == (InputRef(source=Source.STEP, name="extend_1", role=Role.FIRST_FRAME),)
    assert [step.position for step in made.steps] == [0, 1, 2, 3, 4, 5, 6]
    assert {step.recipe_step for step in made.steps[3:6]} == {"extend"}


@pytest.mark.parametrize(("repeat", "asked", "count"), [
    ("{min: 2, max: 5, default: 3}", None, 3),
    ("{min: 2, max: 5, default: 3}", 0, 2),
    ("{min: 2, max: 5, default: 3}", 4, 4),
    ("{min: 2, max: 5, default: 3}", 64, 5),
    ("{min: 2}", None, 2),
    ("{default: 1}", 0, 0),
])  # fmt: skip
def test_the_count_is_kept_between_min_and_max(repeat, asked, count):
    made = plan(changed(WORLD_CUP, "{min: 0, max: 64, default: 0}", repeat), mode="mock", extend_count=asked)

    assert sum(step.recipe_step == "extend" for step in made.steps) == count


def test_a_star_never_catches_a_step_whose_id_begins_alike():
    intro = "  - id: extend_intro\n    kind: video.gen\n    duration_s: 5\n  - id: finalize\n"
    made = plan(changed(WORLD_CUP, "  - id: finalize\n", intro), mode="mock", extend_count=2)

    assert made.steps[-1].parents == ("opening", "extend_1", "extend_2")


def test_an_extend_goes_on_from_the_clip_that_it_names():
    two = "  - id: other\n    kind: video.gen\n    duration_s: 5\n  - id: extend\n    inputs: [opening, user.image]\n"
    made = plan(changed(WORLD_CUP, "  - id: extend\n", two), mode="mock", extend_count=2)

    first, second = (step for step in made.steps if step.recipe_step == "extend")
    assert first.inputs == (
        InputRef(source=Source.STEP, name="opening", role=Role.FIRST_FRAME),
        InputRef(source=Source.USER, name="image", media="image"),
    )
    assert second.parents == ("extend_1",)


def test_an_extend_that_names_no_clip_goes_on_from_the_nearest_one_that_is_made():
    two = "  - id: e\n    kind: video.extend\n    duration_s: 5\n    repeat: {max: 0}\n  - id: extend\n"
    made = plan(changed(WORLD_CUP, "  - id: extend\n", two), mode="mock", extend_count=1)

    assert [step.parents for step in made.steps if step.recipe_step == "extend"] == [("opening",)]


def test_steps_that_do_not_refer_to_each_other_have_no_order():
    text = changed(
        SMALL,
        "  - id: film\n",
        "  - id: second\n    kind: video.gen\n    duration_s: 5\n    inputs: [still]\n  - id: film\n",
    )

    made = small(text, mode="mock")

    assert (made.steps[1].parents, made.steps[2].parents) == (("still",), ("still",))


def test_values_fill_the_prompts_once():
    made = plan(mode="mock", inputs={**INPUTS, "NAME": "{NO} {name}", "NO": "7"})

    assert made.steps[0].prompt == "A sketch of {NO} {name}."
    assert made.steps[2].prompt == "Number 7 enters."


def test_an_optional_input_that_is_not_given_leaves_nothing_behind():
    assert small(inputs={"NAME": "  "}, mode="mock").steps[0].prompt == "A picture of ."


def test_a_picture_that_is_not_given_is_no_input_of_a_step():
    text = changed(WORLD_CUP, "image: {type: image, required: true}", "image: {type: image}")

    assert plan(text, inputs={"NAME": "a", "NO": "1"}).steps[0].inputs == ()


def test_a_film_of_clips_that_are_repeated_no_times_is_refused():
    text = changed(WORLD_CUP, "inputs: [opening, extend.*]", "inputs: [extend.*]")

    assert plan(text, extend_count=1).steps[-1].parents == ("extend_1",)
    with pytest.raises(BadInput) as caught:
        plan(text, extend_count=0)
    assert [problem.code for problem in caught.value.problems] == ["RECIPE_NO_VIDEO"]


def test_a_local_step_is_given_what_its_kind_reads():
    text = changed(
        SMALL,
        "    inputs: [clip]\n",
        "    inputs: [clip]\n    stitch: {fps: 30, format: webm}\n    audio: {mix: replace}\n",
    )

    assert small(text, mode="mock").steps[2].params == {
        "format": "webm", "quality": "standard", "fps": 30, "mix": "replace",
    }  # fmt: skip


def test_the_fate_of_an_unknown_submission_is_the_steps_word_then_the_defaults():
    text = changed(SMALL, "version: 2\n", "version: 2\ndefaults: {on_unknown: fail}\n")
    text = changed(text, "    duration_s: 5\n", "    duration_s: 5\n    on_unknown: wait\n")

    assert [step.on_unknown for step in small(text, mode="mock").steps] == ["fail", "wait", "fail"]


@pytest.mark.parametrize(
    "more", [{"mode": "dry"}, {"extend_count": 65}, {"extend_count": -1}, {"max_usd": Decimal("NaN")}]
)
def test_a_request_that_means_nothing_is_refused(more):
    with pytest.raises(BadInput) as caught:
        small(**more)

    assert [problem.code for problem in caught.value.problems] == ["PARAMETER_INVALID"]
