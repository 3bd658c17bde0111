"""How Prodia's job types are asked, and how files go along."""

import json
import re
from dataclasses import replace
from decimal import Decimal

import pytest

from providers.adapters.prodia import Prodia
from providers.contract import Generation, Job, Media
from providers.errors import Rejected

STILL = Generation(capability="image.gen", model="inference.flux-2.pro.txt2img.v1", prompt="A lighthouse")
SKETCH = replace(STILL, model="inference.flux-fast.schnell.txt2img.v2")  # answered with the result itself
PICTURE = Media(content_type="image/png", read=lambda: b"first picture")
OTHER = Media(content_type="image/jpeg", read=lambda: b"second picture")
VOICE = Media(content_type="audio/mpeg", read=lambda: b"voice")
EDIT = Generation(
    capability="image.edit", model="inference.flux-2.pro.img2img.v1", prompt="At night", images=(PICTURE, OTHER)
)
CLIP = Generation(
    capability="video.gen",
    model="inference.wan2-7.img2vid.v1",
    prompt="A lighthouse",
    images=(PICTURE,),
    duration_s=Decimal(5),
)
LARGER = Generation(capability="image.upscale", model="inference.upscale.v1", images=(PICTURE,), params={"scale": "4x"})
KEY = "secret"


@pytest.fixture
def prodia(emulator):
    """Prodia's desk: its fault plan, clock, pace and journal."""
    return emulator.desks["prodia"]


@pytest.fixture
def provider(emulator) -> Prodia:
    return Prodia(emulator.urls["prodia"])


@pytest.fixture
def submit(provider, converse):
    def submit(generation: Generation = STILL) -> Job:
        return converse(provider.submit(generation, key=KEY, idem_key="idem"))

    return submit


def asked(prodia) -> list[dict]:
    """The jobs that were described, whether as a body or as a part of a form."""
    bodies = [one["body"] for one in prodia.journal.document()["submissions"]]
    return [json.loads(re.search(r"^\{.*\}", body, re.MULTILINE)[0]) for body in bodies]


@pytest.mark.parametrize(
    ("generation", "config"),
    [
        (replace(STILL, aspect="16:9"), {"prompt": "A lighthouse", "width": 1344, "height": 768}),
        (
            replace(SKETCH, aspect="9:16", params={"seed": 3, "mock": {}}),
            {"seed": 3, "prompt": "A lighthouse", "width": 576, "height": 1024},
        ),
        (EDIT, {"prompt": "At night", "images": ["input-0.png", "input-1.jpg"]}),
        (
            replace(EDIT, model="inference.nano-banana.img2img.v2", aspect="16:9"),
            {"prompt": "At night", "images": ["input-0.png", "input-1.jpg"], "aspect_ratio": "16:9"},
        ),
        (LARGER, {"upscale": 4, "image": "input-0.png"}),
        (CLIP, {"resolution": "720P", "prompt": "A lighthouse", "image": "input-0.png", "duration": 5}),
        (
            replace(CLIP, capability="video.extend", images=(), first_frame=OTHER, audios=(VOICE,)),
            {
                "resolution": "720P",
                "prompt": "A lighthouse",
                "image": "input-0.jpg",
                "audio": "input-1.mp3",
                "duration": 5,
            },
        ),
        (
            replace(CLIP, model="inference.wan2-7.txt2vid.v1", images=(), aspect="9:16"),
            {"resolution": "720P", "prompt": "A lighthouse", "duration": 5, "ratio": "9:16"},
        ),
        (
            replace(CLIP, model="inference.veo.img2vid.v1", aspect="9:16"),
            {
                "resolution": "720p",
                "generate_audio": False,
                "prompt": "A lighthouse",
                "image": "input-0.png",
                "aspect_ratio": "9:16",
            },
        ),
    ],
)
def test_each_type_is_asked_in_its_own_words(prodia, submit, generation, config):
    submit(generation)

    assert asked(prodia) == [{"type": generation.model, "config": config}]
    assert len(prodia.journal.accepted()) == 1  # the emulator takes no job whose files did not come with it


def test_files_go_along_in_one_form(prodia, submit):
    submit(EDIT)

    (sent,) = prodia.journal.document()["submissions"]
    assert sent["body"].index("first picture") < sent["body"].index("second picture")
    assert sent["body"].count('name="input"') == 2


@pytest.mark.parametrize(
    ("generation", "problem"),
    [
        (replace(EDIT, images=(Media(content_type="image/png", url="https://example.com/a.png"),)), "reference_images"),
        (replace(EDIT, images=(PICTURE,) * 9), "reference_images"),
        (replace(CLIP, duration_s=Decimal("5.5")), "duration_s"),
        (replace(STILL, aspect="7:3"), "aspect"),
        (replace(LARGER, params={"scale": "4k"}), "params.scale"),
        (replace(STILL, model="inference.sdxl.txt2img.v1"), "model"),
    ],
)
def test_what_cannot_be_asked_for_is_told_by_the_field_s_name(prodia, provider, submit, generation, problem):
    assert [field for field, _ in provider.check(generation)] == [problem]
    with pytest.raises(Rejected):
        submit(generation)
    assert prodia.journal.calls == {}
