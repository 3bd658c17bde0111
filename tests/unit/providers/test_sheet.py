"""What is refused at plan time, before anything is spent: by the field maps of fal's models."""

from decimal import Decimal

import pytest

from providers.adapters.fal import DEFAULTS, Fal
from providers.contract import Generation, Media

PICTURE = Media(content_type="image/png", url="https://example.com/a.png")
KLING = "fal-ai/kling-video/v2.1/pro/image-to-video"
FLUX = "fal-ai/flux/dev"


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
        ("audio.tts", "fal-ai/minimax/speech-02-turbo", {}),
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
            ("reference_images", "fal fetches pictures over http or https only."),
        ),
        ("image.gen", "fal-ai/nobody", {}, ("model", "It is not known how fal-ai/nobody wants to be asked.")),
    ],
)
def test_what_it_cannot_do_is_refused_by_the_field_s_name(capability, model, fields, problem):
    assert check(capability, model, **fields) == [problem]


def test_every_default_is_a_model_that_does_it():
    sheets = Fal().sheets

    assert [capability for capability, model in DEFAULTS.items() if capability not in sheets[model].makes] == []
