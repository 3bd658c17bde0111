from datetime import date
from decimal import Decimal

import pytest

from core.errors import BadInput, OverBudget
from core.registry import Registry
from providers.contract import Provider
from providers.prices import Price, PriceBook
from zaps.equip import ModelUnpriced, PriceOutdated, ProviderUnsupported
from zaps.plan import make_plan
from zaps.planned import InputRef, Role, Source
from zaps.recipe import parse

from .texts import INPUTS, PROMPTS, SMALL, WORLD_CUP, changed

TODAY = date(2026, 11, 21)


class Willing(Provider):
    """Makes everything; complains about what its name says."""

    def __init__(self, name, *, refuses=()):
        super().__init__()
        self.name = name
        self.refuses = refuses
        self.asked = []

    def default_model(self, capability):
        return None if capability in self.refuses else f"{self.name}/{capability}"

    def check(self, generation):
        self.asked.append(generation)
        return [("duration_s", "It makes 5 or 10 seconds.")] if generation.duration_s == 7 else []

    def submit(self, generation, *, key, idem_key):
        raise AssertionError("planning asks nobody")

    def poll(self, job, *, key):
        raise AssertionError("planning asks nobody")


def installed(*providers):
    registry = Registry("nothing", "NOTHING")
    registry.entries = {provider.name: provider for provider in providers}
    return registry


def book(*, verified_at=TODAY):
    def price(provider, model, unit, usd):
        return Price(
            provider=provider, model=model, unit=unit, usd=Decimal(usd), source="by hand", verified_at=verified_at
        )

    return PriceBook([
        price("fal", "fal-ai/flux/dev", "megapixel", "0.025"),
        price("gmi", "seedance-2-0-260128", "second", "0.07"),
        price("fal", "fal/image.gen", "request", "0.50"),
        price("fal", "fal/video.gen", "second", "0.10"),
    ])  # fmt: skip


def plan(text=WORLD_CUP, *, prompts=PROMPTS, inputs=INPUTS, mode="live", providers=None, prices=None, **more):
    return make_plan(
        parse(text, prompts),
        inputs=inputs,
        mode=mode,
        providers=providers or installed(Willing("fal"), Willing("gmi"), Willing("mock")),
        prices=prices or book(),
        today=TODAY,
        **more,
    )


def small(text=SMALL, **more):
    return plan(text, prompts={}, **{"inputs": {}, **more})


@pytest.mark.parametrize(("extends", "total"), [(None, "1.10"), (0, "1.10"), (3, "4.25"), (13, "14.75")])
def test_a_quote_is_the_sum_of_its_steps(extends, total):
    assert plan(extend_count=extends).quote_usd == Decimal(total)


def test_one_clip_more_than_the_cap_allows_is_refused_with_the_sum_broken_down():
    with pytest.raises(OverBudget) as caught:
        plan(extend_count=14)

    extra = caught.value.extra
    assert (extra["quoteUsd"], extra["capUsd"], len(extra["steps"])) == (15.8, 15.0, 17)
    assert extra["steps"][2] == {"stepId": "opening", "model": "seedance-2-0-260128", "quoteUsd": 1.05}


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
        InputRef(source=Source.USER, name="image"),
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


def test_mock_costs_nothing_and_runs_every_step_that_is_not_local_on_the_mock():
    made = plan(mode="mock", extend_count=64)

    assert made.quote_usd == 0
    assert {step.provider for step in made.steps} == {"mock", "local"}


def test_plan_quotes_as_live_would():
    assert plan(mode="plan", extend_count=3).steps == plan(mode="live", extend_count=3).steps


def test_mock_does_not_care_whether_the_providers_of_a_recipe_are_installed():
    text = changed(SMALL, "  - id: still\n", "  - id: still\n    provider: vertex\n")

    assert small(text, mode="mock").steps[0].provider == "mock"
    with pytest.raises(ProviderUnsupported) as caught:
        small(text, mode="plan")
    problem = caught.value.problems[0]
    assert (problem.code, problem.path, problem.line) == ("PROVIDER_UNSUPPORTED", "steps[0].provider", 12)


def test_who_makes_a_step_is_decided_by_the_request_then_the_step_then_the_defaults():
    everybody = installed(Willing("fal"), Willing("gmi"), Willing("mock"))
    text = changed(SMALL, "  - id: still\n", "  - id: still\n    provider: mock\n")
    with_default = changed(text, "version: 2\n", "version: 2\ndefaults: {provider: mock}\n")

    assert [step.provider for step in small(text, providers=everybody).steps] == ["mock", "fal", "local"]
    assert [step.provider for step in small(with_default, providers=everybody).steps] == ["mock", "mock", "local"]
    assert [step.provider for step in small(SMALL, provider="mock").steps] == ["mock", "mock", "local"]


def test_which_model_is_decided_by_the_step_then_the_defaults_then_the_provider():
    text = changed(SMALL, "  - id: still\n", "  - id: still\n    model: own\n")
    with_default = changed(text, "version: 2\n", "version: 2\ndefaults: {models: {image.gen: a, video.gen: b}}\n")

    assert [step.model for step in small(with_default, mode="mock").steps] == ["own", "b", None]
    assert [step.model for step in small(text, mode="mock").steps] == ["own", "mock/video.gen", None]


def test_a_provider_that_does_not_do_a_kind_is_refused():
    with pytest.raises(ProviderUnsupported) as caught:
        small(providers=installed(Willing("fal", refuses=["video.gen"])))

    assert [problem.path for problem in caught.value.problems] == ["steps[1].kind"]


def test_what_a_provider_complains_about_names_the_field():
    text = changed(SMALL, "duration_s: 5", "duration_s: 7")

    with pytest.raises(ProviderUnsupported) as caught:
        small(text)

    (problem,) = caught.value.problems
    assert (problem.path, problem.line, problem.column) == ("steps[1].duration_s", 16, 17)
    assert problem.message == "It makes 5 or 10 seconds."


def test_a_provider_is_told_of_pictures_that_do_not_exist_yet():
    fal = Willing("fal")

    small(providers=installed(fal, Willing("mock")))

    (picture,) = fal.asked[1].images
    assert (picture.content_type, picture.url, picture.read()) == ("image/png", None, b"")


@pytest.mark.parametrize("mode", ["plan", "live"])
def test_a_model_without_a_price_is_refused(mode):
    with pytest.raises(ModelUnpriced) as caught:
        small(changed(SMALL, "  - id: still\n", "  - id: still\n    model: fal-ai/new\n"), mode=mode)

    (problem,) = caught.value.problems
    assert (caught.value.code, problem.path, problem.line) == ("PRICE_UNKNOWN", "steps[0].model", 12)


def test_a_price_that_nobody_verified_lately_stops_live_and_warns_a_plan():
    old = book(verified_at=date(2026, 1, 1))

    with pytest.raises(PriceOutdated):
        small(prices=old)
    made = small(prices=old, mode="plan")
    assert made.quote_usd == Decimal("1.00")
    assert {warning.code for warning in made.warnings} == {"PRICE_STALE"}


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


def test_what_a_run_does_not_act_on_is_said():
    warned = {(warning.code, warning.path) for warning in plan().warnings}

    assert warned == {
        ("NOT_ACTED_ON", "steps[2].judge"),
        ("NOT_ACTED_ON", "steps[2].rlhf"),
        ("NOT_ACTED_ON", "steps[3].first_frame.upscale"),
    }


@pytest.mark.parametrize(("block", "path"), [
    ("candidates: 2", "candidates"),
    ("retry: {max: 1}", "retry"),
    ("tier: draft", "tier"),
    ("shared: true", "shared"),
    ("repeat: {max: 2}", "repeat"),
    ("extend: {mode: anchored}", "extend.mode"),
    ("keyframes: {mode: optional}", "keyframes.mode"),
    ("audio: {mix: keep}", "audio.mix"),
    ("stitch: {fps: 24}", "stitch"),
    ("inputs: [user.NAME]", "inputs[0]"),
])  # fmt: skip
def test_a_field_that_is_kept_for_later_is_a_warning(block, path):
    text = changed(SMALL, "  - id: still\n", f"  - id: still\n    {block}\n")

    assert [(one.code, one.path) for one in small(text, mode="mock").warnings] == [("NOT_ACTED_ON", f"steps[0].{path}")]


@pytest.mark.parametrize(
    "block", ["stitch: {engine: hyperframes}", "stitch: {template: t}", "stitch: {inputs: {a: 1}}"]
)
def test_parts_of_a_stitch_that_are_kept_for_later_are_warnings(block):
    text = changed(SMALL, "    inputs: [clip]\n", f"    inputs: [clip]\n    {block}\n")

    assert [one.code for one in small(text, mode="mock").warnings] == ["NOT_ACTED_ON"]


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
