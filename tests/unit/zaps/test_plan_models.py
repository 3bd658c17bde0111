"""Which model makes a step: tiers, editing and shapes, at a provider whose models are known."""

from decimal import Decimal

import pytest

from providers import prices
from providers.adapters.fal import Fal
from providers.adapters.mock import Mock
from zaps.planning.problems import ModelUnpriced, ProviderUnsupported

from .planning import installed, small
from .texts import SMALL, changed

STILL = "  - id: still\n"
CLIP = "    duration_s: 5\n"
FILM = "    inputs: [clip]\n"
PROMPT = "    prompt: A picture of {NAME}.\n"
FLUX = "fal-ai/flux/dev"
EDIT = f"{FLUX}/image-to-image"
KLING = "fal-ai/kling-video/v2.1/pro/image-to-video"
DRAFT = "fal-ai/kling-video/v2.1/standard/image-to-video"
TEXT = changed(SMALL, CLIP, CLIP + "    prompt: It moves.\n")


def fal(text=TEXT, **more):
    return small(text, providers=installed(Fal(), Mock()), prices=prices.load(), **more)


def refused(text, **more):
    with pytest.raises(ProviderUnsupported) as caught:
        fal(text, **more)
    return [(problem.path, problem.line) for problem in caught.value.problems]


def models(text, **more):
    return [step.model for step in fal(text, **more).steps]


def test_the_usual_models_are_the_provider_s():
    assert models(TEXT) == [FLUX, KLING, None]


def test_a_tier_picks_the_model():
    text = changed(changed(TEXT, STILL, STILL + "    tier: final\n"), CLIP, CLIP + "    tier: draft\n")

    made = fal(text)

    assert [step.model for step in made.steps] == [FLUX, DRAFT, None]
    assert made.steps[1].quote_usd == Decimal("0.28")


def test_the_recipe_s_model_of_a_tier_goes_before_the_provider_s():
    head = f"version: 2\ndefaults: {{models: {{video.gen: nobody, video.gen.draft: {KLING}}}}}\n"
    text = changed(changed(TEXT, "version: 2\n", head), CLIP, CLIP + "    tier: draft\n")

    assert models(text)[1] == KLING


VEO = "fal-ai/veo3.1"
LOUD = changed(
    changed(TEXT, CLIP, "    duration_s: 4\n    params: {}\n"),
    "kind: video.gen\n",
    f"kind: video.gen\n    model: {VEO}\n",
).replace("    reference_images: [still]\n", "")


@pytest.mark.parametrize(
    ("params", "usd", "variant"),
    [
        ("{}", "1.80", "generate_audio=true,resolution=720p"),
        ("{generate_audio: false, resolution: 1080p}", "0.80", "generate_audio=false,resolution=1080p"),
    ],
)
def test_a_step_is_quoted_by_the_price_of_what_it_asks_for(params, usd, variant):
    step = fal(changed(LOUD, "params: {}", f"params: {params}")).steps[1]

    assert step.quote_usd == Decimal(usd)
    assert (step.price.variant, step.price.usd * 4) == (variant, Decimal(usd))


def test_what_is_asked_for_without_a_price_of_its_own_is_refused():
    loud = ("fal", VEO, "generate_audio=true,resolution=720p")
    silent = prices.load().with_changes({loud: None})

    with pytest.raises(ModelUnpriced):
        small(LOUD, providers=installed(Fal(), Mock()), prices=silent)


def test_a_tier_without_a_model_is_refused():
    text = changed(changed(TEXT, "kind: image.gen", "kind: audio.tts"), "    reference_images: [still]\n", "")

    assert refused(changed(text, STILL, STILL + "    tier: draft\n"))[0] == ("steps[0].tier", 12)


def test_a_rehearsal_has_every_tier():
    text = changed(TEXT, CLIP, CLIP + "    tier: draft\n")

    assert models(text, mode="mock")[1] == "mock/video.gen"


@pytest.mark.parametrize(("tier", "written", "quality"), [
    ("draft", "", "draft"),
    ("final", "", "high"),
    ("final", "    stitch: {fps: 30}\n", "high"),
])  # fmt: skip
def test_a_tier_of_a_film_is_its_quality(tier, written, quality):
    text = changed(TEXT, FILM, f"{FILM}    tier: {tier}\n{written}")

    assert fal(text).steps[2].params["quality"] == quality


def test_pictures_are_edited_by_the_family_of_the_model_that_is_named():
    edit = f"  - id: edit\n    kind: image.edit\n    model: {FLUX}\n    inputs: [still]\n    prompt: Bluer.\n"
    text = changed(TEXT, "  - id: clip\n", edit + "  - id: clip\n")

    assert models(text)[1] == f"{FLUX}/image-to-image"
    named = changed(text, f"    model: {FLUX}\n", "").replace(
        "version: 2\n", f"version: 2\ndefaults: {{models: {{image.edit: {FLUX}}}}}\n"
    )
    assert models(named)[1] == f"{FLUX}/image-to-image"


def test_an_aspect_reaches_every_step_that_has_a_shape():
    text = changed(TEXT, "version: 2\n", "version: 2\ndefaults: {aspect: '9:16'}\n")
    sound = "  - id: tune\n    kind: audio.sfx\n    prompt: Rain.\n    duration_s: 3\n"
    text = changed(changed(text, "  - id: film\n", sound + "  - id: film\n"), STILL, STILL + "    aspect: '1:1'\n")

    assert [step.aspect for step in fal(text).steps] == ["1:1", "9:16", None, "9:16"]


@pytest.mark.parametrize(("behind", "block", "path", "line"), [
    ("version: 2\n", "defaults: {aspect: '5:4'}", "defaults.aspect", 4),
    (STILL, "    aspect: '5:4'", "steps[0].aspect", 12),
    ("version: 2\n", f"defaults: {{aspect: '1:1', models: {{image.gen: {EDIT}}}}}", "defaults.aspect", 4),
])  # fmt: skip
def test_a_shape_that_a_model_cannot_make_is_refused_by_what_asked_for_it(behind, block, path, line):
    assert (path, line) in refused(changed(TEXT, behind, f"{behind}{block}\n"))


@pytest.mark.parametrize(("old", "new", "path", "line"), [
    ("    reference_images: [still]\n", "", "steps[1].reference_images", 14),
    (PROMPT, PROMPT + "    params: {sed: 1}\n", "steps[0].params.sed", 14),
    (PROMPT, "", "steps[0].prompt", 11),
])  # fmt: skip
def test_what_a_model_complains_about_names_the_field(old, new, path, line):
    assert refused(changed(TEXT, old, new)) == [(path, line)]


def test_a_complaint_about_pictures_names_the_list_that_they_stand_in():
    text = changed(TEXT, "reference_images: [still]", "inputs: [still, still]")

    assert refused(text) == [("steps[1].inputs", 18)]


def test_a_larger_frame_keeps_the_shape_of_its_clip():
    frame = "    first_frame: {upscale: 4k}\n    aspect: '9:16'\n    prompt: On.\n"
    more = f"  - id: more\n    kind: video.extend\n    repeat: {{min: 1}}\n{CLIP}{frame}"
    made = fal(changed(TEXT, "  - id: film\n", more + "  - id: film\n"))

    assert [step.aspect for step in made.steps] == [None, None, "9:16", "9:16", None]


def test_making_a_frame_larger_is_asked_for_and_paid_by_its_size():
    frame = "    first_frame: {upscale: 4k}\n    prompt: On.\n"
    more = f"  - id: more\n    kind: video.extend\n    repeat: {{min: 1}}\n{CLIP}{frame}"
    made = fal(changed(TEXT, "  - id: film\n", more + "  - id: film\n"))

    frame = made.steps[2]
    assert (frame.model, frame.quote_usd) == ("fal-ai/seedvr/upscale/image", Decimal("0.011"))
