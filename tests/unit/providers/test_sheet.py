"""What is refused at plan time, before anything is spent: by the field maps of fal's models."""

from decimal import Decimal

import pytest

from providers.adapters.fal import Fal
from providers.adapters.mock import MAKES
from providers.adapters.replicate import Replicate
from providers.contract import Generation, Media
from providers.prices import variant_of

PICTURE = Media(content_type="image/png", url="https://example.com/a.png")
CLIP = Media(content_type="video/mp4", url="https://example.com/a.mp4")
SOUND = Media(content_type="audio/wav", url="https://example.com/a.wav")
KLING = "fal-ai/kling-video/v2.1/pro/image-to-video"
FLUX = "fal-ai/flux/dev"
EDIT = "fal-ai/kling-video/o1/video-to-video/edit"
LARGER = "fal-ai/seedvr/upscale/image"
TTS = "fal-ai/minimax/speech-02-turbo"


def check(capability, model, prompt="p", **fields):
    return Fal().check(Generation(capability=capability, model=model, prompt=prompt, **fields))


@pytest.mark.parametrize(
    ("capability", "model", "fields"),
    [
        ("image.gen", FLUX, {"aspect": "16:9"}),
        ("image.edit", "fal-ai/flux/dev/image-to-image", {"images": (PICTURE,), "aspect": "16:9"}),
        ("video.gen", KLING, {"images": (PICTURE,), "duration_s": Decimal("5.0")}),
        ("video.extend", KLING, {"first_frame": PICTURE, "images": (PICTURE, PICTURE), "duration_s": Decimal(10)}),
        ("video.gen", "fal-ai/veo3.1", {"duration_s": Decimal(8), "aspect": "9:16"}),
        ("audio.music", "fal-ai/elevenlabs/music", {"duration_s": Decimal(30)}),
        ("audio.tts", TTS, {}),
        ("video.edit", EDIT, {"videos": (CLIP,), "images": (PICTURE, PICTURE), "duration_s": Decimal(5)}),
        ("video.edit", EDIT, {"videos": (CLIP,), "aspect": "9:16"}),
        ("image.upscale", LARGER, {"prompt": "", "first_frame": PICTURE, "params": {"scale": "4k"}}),
        ("image.gen", FLUX, {"params": {"seed": 1, "mock": {"latency_s": 1}}}),
    ],
)
def test_what_a_model_can_do_is_let_through(capability, model, fields):
    assert check(capability, model, **fields) == []


@pytest.mark.parametrize(
    ("capability", "model", "fields", "problem"),
    [
        ("image.edit", FLUX, {}, ("model", "fal-ai/flux/dev does not do image.edit.")),
        (
            "image.gen",
            FLUX,
            {"images": (PICTURE,)},
            ("reference_images", "fal-ai/flux/dev takes no picture; choose a model that does, or leave it out."),
        ),
        ("image.gen", FLUX, {"prompt": " "}, ("prompt", "fal-ai/flux/dev needs a prompt.")),
        ("image.gen", FLUX, {"aspect": "2:1"}, ("aspect", "fal-ai/flux/dev makes 1:1, 4:3, 3:4, 16:9, 9:16, not 2:1.")),
        ("video.gen", KLING, {}, ("reference_images", f"{KLING} needs a picture to start from.")),
        (
            "video.gen",
            KLING,
            {"images": (PICTURE, PICTURE)},
            ("reference_images", f"{KLING} takes one picture, not 2."),
        ),
        (
            "video.gen",
            KLING,
            {"images": (PICTURE,), "duration_s": Decimal(7)},
            ("duration_s", f"{KLING} makes 5 or 10 seconds, not 7."),
        ),
        (
            "video.gen",
            "fal-ai/veo3.1",
            {"duration_s": Decimal("5.5")},
            ("duration_s", "fal-ai/veo3.1 makes 4 or 6 or 8 seconds, not 5.5."),
        ),
        (
            "audio.sfx",
            "fal-ai/elevenlabs/sound-effects",
            {"duration_s": Decimal(23)},
            ("duration_s", "fal-ai/elevenlabs/sound-effects makes at most 22 seconds."),
        ),
        (
            "audio.music",
            "fal-ai/elevenlabs/music",
            {"duration_s": Decimal(2)},
            ("duration_s", "fal-ai/elevenlabs/music makes at least 3 seconds."),
        ),
        (
            "video.gen",
            KLING,
            {"images": (Media(content_type="image/png", url="mock://input/hero"),)},
            ("reference_images", "fal fetches files over http or https only."),
        ),
        ("video.edit", EDIT, {}, ("reference_images", f"{EDIT} needs a clip to work on.")),
        ("video.edit", EDIT, {"videos": (CLIP, CLIP)}, ("reference_images", f"{EDIT} takes one clip, not 2.")),
        (
            "video.edit",
            EDIT,
            {"videos": (CLIP,), "duration_s": Decimal(11)},
            ("duration_s", f"{EDIT} makes at most 10 seconds."),
        ),
        (
            "image.gen",
            FLUX,
            {"videos": (CLIP,)},
            ("reference_images", "fal-ai/flux/dev takes no clip; choose a model that does, or leave it out."),
        ),
        (
            "audio.tts",
            TTS,
            {"audios": (SOUND,)},
            ("reference_images", f"{TTS} takes no sound; choose a model that does, or leave it out."),
        ),
        (
            "audio.tts",
            TTS,
            {"duration_s": Decimal(5)},
            ("duration_s", f"{TTS} is as long as its text asks for; leave it out."),
        ),
        (
            "audio.tts",
            TTS,
            {"params": {"pitch": 1}},
            (
                "params.pitch",
                f"{TTS} has no such field to set; it has: voice_setting, audio_setting, language_boost.",
            ),
        ),
        (
            "image.gen",
            FLUX,
            {"params": {"scale": "2x"}},
            ("params.scale", "fal-ai/flux/dev makes nothing larger."),
        ),
        (
            "image.upscale",
            LARGER,
            {"prompt": "", "images": (PICTURE,), "params": {"scale": "3x"}},
            ("params.scale", f"{LARGER} makes things larger by 2x, 4x, 2k, 4k."),
        ),
        ("image.upscale", LARGER, {"images": (PICTURE,)}, ("prompt", f"{LARGER} takes no prompt; leave it out.")),
        (
            "image.edit",
            "fal-ai/flux/dev/image-to-image",
            {"aspect": "16:9"},
            ("reference_images", "fal-ai/flux/dev/image-to-image needs a picture to start from."),
        ),
        ("image.gen", "fal-ai/nobody", {}, ("model", "It is not known how fal-ai/nobody wants to be asked.")),
    ],
)
def test_what_it_cannot_do_is_refused_by_the_field_s_name(capability, model, fields, problem):
    assert check(capability, model, **fields)[:1] == [problem]


def test_a_shape_that_nothing_decides_cannot_be_asked_for():
    problems = check("video.gen", KLING, aspect="16:9")

    assert problems[1] == ("aspect", f"{KLING} chooses the shape itself; it cannot be asked for one.")


def test_every_default_is_a_priced_model_that_does_it():
    fal = Fal()

    for sheet in fal.sheets.values():
        assert set(sheet.default_for) <= set(sheet.makes)
    assert {
        capability: fal.default_model(capability) for capability in MAKES if not fal.default_model(capability)
    } == {}


@pytest.mark.parametrize(("capability", "tier", "model"), [
    ("image.gen", "draft", "fal-ai/flux/schnell"),
    ("image.gen", "final", "fal-ai/flux/dev"),
    ("video.extend", "draft", "fal-ai/kling-video/v2.1/standard/image-to-video"),
    ("video.gen", "final", KLING),
    ("audio.tts", "draft", None),
])  # fmt: skip
def test_a_tier_names_a_model_where_there_is_one(capability, tier, model):
    assert Fal().tier_model(capability, tier) == model


@pytest.mark.parametrize(("capability", "model", "meant"), [
    ("image.edit", FLUX, "fal-ai/flux/dev/image-to-image"),
    ("image.gen", FLUX, FLUX),
    ("image.edit", "fal-ai/flux/schnell", "fal-ai/flux/schnell"),
    ("video.gen", FLUX, FLUX),
    ("image.edit", "fal-ai/nobody", "fal-ai/nobody"),
])  # fmt: skip
def test_a_model_that_only_makes_pictures_stands_for_the_one_of_its_family_that_edits_them(capability, model, meant):
    assert Fal().model_for(capability, model) == meant


VEO = "fal-ai/veo3.1"


@pytest.mark.parametrize(
    ("params", "variant"),
    [
        ({}, "generate_audio=true,resolution=720p"),
        ({"resolution": "1080p", "seed": 4}, "generate_audio=true,resolution=1080p"),
        ({"generate_audio": False}, "generate_audio=false,resolution=720p"),
    ],
)
def test_what_is_asked_for_picks_the_price_and_is_what_is_sent(params, variant):
    fal, asked = Fal(), Generation(capability="video.gen", model=VEO, prompt="p", params=params)

    assert fal.check(asked) == []
    assert fal.variant(VEO, params) == variant
    assert variant in fal.variants(VEO)
    body = fal.sheets[VEO].body(asked, [])
    assert variant_of({name: body[name] for name in ("generate_audio", "resolution")}) == variant


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"resolution": "8k"}, f'{VEO} has a price for resolution "720p" or "1080p" only.'),
        ({"resolution": ["720p"]}, f'{VEO} has a price for resolution "720p" or "1080p" only.'),
        ({"generate_audio": 1}, f"{VEO} has a price for generate_audio true or false only."),
        ({"generate_audio": "true"}, f"{VEO} has a price for generate_audio true or false only."),
    ],
)
def test_what_has_no_price_is_not_asked_for(params, sentence):
    (problem,) = check("video.gen", VEO, params=params)

    assert problem == (f"params.{next(iter(params))}", sentence)


@pytest.mark.parametrize(
    ("seconds", "problems"),
    [
        ("7", []),
        ("7.0", []),
        ("7.5", [("duration_s", "bytedance/seedance-1-lite makes whole seconds, not 7.5.")]),
        ("1", [("duration_s", "bytedance/seedance-1-lite makes at least 2 seconds.")]),
        ("13", [("duration_s", "bytedance/seedance-1-lite makes at most 12 seconds.")]),
    ],
)
def test_a_model_that_counts_whole_seconds_is_not_asked_for_a_part_of_one(seconds, problems):
    clip = Generation(
        capability="video.gen", model="bytedance/seedance-1-lite", prompt="p", duration_s=Decimal(seconds)
    )

    assert Replicate().check(clip) == problems
