from datetime import date
from decimal import Decimal

import pytest

from core.errors import BadInput
from zaps.planned import PlannedStep
from zaps.planning.problems import ModelUnpriced, PriceOutdated, ProviderUnsupported

from .planning import Willing, book, installed, plan, small
from .texts import SMALL, changed


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


class Fragile(Willing):
    """Breaks over every step."""

    def check(self, generation):
        raise KeyError("my key is k-123")


def test_an_adapter_that_breaks_while_it_is_asked_refuses_its_own_steps(caplog):
    text = changed(SMALL, "  - id: still\n", "  - id: still\n    provider: gmi\n")

    with pytest.raises(ProviderUnsupported) as caught:
        small(text, providers=installed(Willing("fal"), Fragile("gmi")))

    (problem,) = caught.value.problems
    assert (problem.path, problem.line) == ("steps[0].provider", 12)
    assert problem.message == "The adapter of gmi broke while it was asked about this step."
    assert "provider=gmi check=broken" in caplog.text


def test_what_a_provider_complains_about_names_the_field():
    text = changed(SMALL, "duration_s: 5", "duration_s: 7")

    with pytest.raises(ProviderUnsupported) as caught:
        small(text)

    (problem,) = caught.value.problems
    assert (problem.path, problem.line, problem.column) == ("steps[1].duration_s", 16, 17)
    assert problem.message == "It makes 5 or 10 seconds."


def test_the_copies_of_a_repeated_step_have_their_complaint_once():
    extend = "  - id: more\n    kind: video.extend\n    duration_s: 7\n  - id: film\n"

    with pytest.raises(ProviderUnsupported) as caught:
        small(changed(SMALL, "  - id: film\n", extend), mode="mock", extend_count=3)

    assert [problem.path for problem in caught.value.problems] == ["steps[2].duration_s"]


def test_a_provider_is_told_that_a_clip_will_begin_with_a_frame():
    mock = Willing("mock")

    plan(mode="mock", extend_count=1, providers=installed(mock))

    assert mock.asked[3].first_frame.content_type == "image/png"
    assert (mock.asked[2].first_frame, mock.asked[3].videos) == (None, ())


def test_a_plan_has_an_end():
    extends = "".join(f"  - id: e{number}\n    kind: video.extend\n    duration_s: 5\n" for number in range(8))
    text = changed(SMALL, "  - id: film\n", extends + "  - id: film\n")

    with pytest.raises(BadInput) as caught:
        small(text, mode="mock", extend_count=64)

    assert [problem.code for problem in caught.value.problems] == ["PLAN_TOO_LARGE"]


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


PHOTO = "https://photos.example/a.jpg"
EDIT = """\
---
zap: own-picture
version: 2
description: One picture of another.
budget: {estimate_usd: 1, cap_usd: 5}
inputs:
  PHOTO: {type: image, required: true}
  VOICE: {type: audio}
steps:
  - {id: still, kind: image.edit, provider: fal, model: other, prompt: A lighthouse., reference_images: [PHOTO, VOICE]}
---
"""


def asked_for(value, *, fetches_files):
    fal = Willing("fal")
    fal.fetches_files = fetches_files
    (step,) = plan(
        EDIT,
        prompts={},
        inputs={"PHOTO": value, "VOICE": "https://sounds.example/1"},
        providers=installed(fal, Willing("mock")),
    ).steps
    return fal.asked[-1].images[0].url, step


def test_who_fetches_no_files_is_asked_as_if_it_had_them_already():
    assert asked_for(PHOTO, fetches_files=True)[0] == PHOTO
    assert asked_for(PHOTO, fetches_files=False)[0] is None


@pytest.mark.parametrize("value", ["https://photos.example:8443/a.jpg", "mock:file"])
def test_what_we_would_not_fetch_is_still_an_address(value):
    assert asked_for(value, fetches_files=False)[0] == value


def test_a_step_knows_what_the_recipe_declares_its_inputs_to_be():
    _, step = asked_for(PHOTO, fetches_files=True)

    assert [(ref.name, ref.media) for ref in step.inputs] == [("PHOTO", "image"), ("VOICE", "audio")]
    assert PlannedStep.from_json(step.to_json()) == step


def test_a_step_of_before_its_inputs_were_known_can_still_be_read():
    _, step = asked_for(PHOTO, fetches_files=True)
    stored = step.to_json()
    for ref in stored["inputs"]:
        del ref["media"]

    assert [ref.media for ref in PlannedStep.from_json(stored).inputs] == ["", ""]
