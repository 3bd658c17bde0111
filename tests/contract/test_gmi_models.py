"""How GMI Cloud's models are asked, and how files get to them."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from providers.adapters.gmi import Gmi
from providers.contract import Generation, Job, Media, Reply
from providers.errors import NotSent, Rejected

STILL = Generation(capability="image.gen", model="seedream-5.0-lite", prompt="A lighthouse")
SPEECH = Generation(capability="audio.tts", model="minimax-tts-speech-2.8-hd", prompt="A lighthouse")
CLIP = Generation(
    capability="video.gen", model="seedance-2-0-260128", prompt="A lighthouse", duration_s=Decimal(5), aspect="16:9"
)
SONG = Generation(capability="audio.music", model="minimax-music-2.5", prompt="A lighthouse")
PICTURE = Media(content_type="image/png", url="https://example.com/a.png")
FILM = Media(content_type="video/mp4", url="https://example.com/a.mp4")
SOUND = Media(content_type="audio/wav", url="https://example.com/a.wav")
KEY = "secret"
SEEDREAM = {"max_images": 1, "sequential_image_generation": "disabled", "output_format": "png", "watermark": False}
SEEDANCE = {"resolution": "720p", "generate_audio": True, "watermark": False, "web_search": False}


@pytest.fixture
def gmi(emulator):
    """GMI's desk: its fault plan, clock, pace and journal."""
    return emulator.desks["gmi"]


@pytest.fixture
def provider(emulator) -> Gmi:
    return Gmi(emulator.urls["gmi"])


@pytest.fixture
def submit(provider, converse):
    def submit(generation: Generation = STILL) -> Job:
        return converse(provider.submit(generation, key=KEY, idem_key="idem"))

    return submit


def sent(gmi) -> list[dict]:
    return [json.loads(one["body"]) for one in gmi.journal.document()["submissions"]]


def test_what_a_model_cannot_make_is_not_asked_for(gmi, submit):
    with pytest.raises(Rejected):
        submit(replace(CLIP, duration_s=Decimal(3)))

    assert gmi.journal.count("submit") == 0


@pytest.mark.parametrize(
    ("generation", "payload"),
    [
        (replace(STILL, aspect="16:9"), {**SEEDREAM, "prompt": "A lighthouse", "size": "2848x1600"}),
        (
            replace(STILL, capability="image.edit", images=(PICTURE, PICTURE)),
            {**SEEDREAM, "prompt": "A lighthouse", "image": ["https://example.com/a.png"] * 2},
        ),
        (CLIP, {**SEEDANCE, "prompt": "A lighthouse", "ratio": "16:9", "duration": 5}),
        (
            replace(CLIP, aspect=None, capability="video.extend", first_frame=PICTURE, images=(PICTURE, PICTURE)),
            {
                **SEEDANCE,
                "prompt": "A lighthouse",
                "ratio": "adaptive",
                "duration": 5,
                "first_frame": "https://example.com/a.png",
            },
        ),
        (
            replace(CLIP, images=(PICTURE,), videos=(FILM,), audios=(SOUND,), params={"seed": 3, "mock": {}}),
            {
                **SEEDANCE,
                "seed": 3,
                "prompt": "A lighthouse",
                "ratio": "16:9",
                "duration": 5,
                "reference_images": ["https://example.com/a.png"],
                "reference_videos": ["https://example.com/a.mp4"],
                "reference_audios": ["https://example.com/a.wav"],
            },
        ),
        (
            replace(CLIP, model="Veo3", duration_s=Decimal("8.0"), params={"negativePrompt": "rain"}),
            {"negativePrompt": "rain", "prompt": "A lighthouse", "durationSeconds": "8", "aspectRatio": "16:9"},
        ),
        (
            replace(CLIP, model="kling-v3-image-to-video", aspect=None, images=(PICTURE,), params={"sound": "on"}),
            {"sound": "on", "prompt": "A lighthouse", "image": "https://example.com/a.png", "duration": "5"},
        ),
        (
            replace(CLIP, model="kling-3.0-turbo-t2v"),
            {"resolution": "720p", "prompt": "A lighthouse", "duration": "5", "aspect_ratio": "16:9"},
        ),
        (
            replace(SPEECH, params={"voice_id": "English_expressive_narrator"}),
            {"voice_id": "English_expressive_narrator", "text": "A lighthouse"},
        ),
        (SONG, {"lyrics": "[Inst]", "prompt": "A lighthouse"}),
        (replace(SONG, params={"lyrics": "La"}), {"lyrics": "La", "prompt": "A lighthouse"}),
    ],
)
def test_each_model_is_asked_in_its_own_words(gmi, submit, generation, payload):
    submit(generation)

    assert sent(gmi) == [{"model": generation.model, "payload": payload}]


@pytest.mark.parametrize(
    ("generation", "problem"),
    [
        (replace(CLIP, duration_s=Decimal(16)), "duration_s"),
        (replace(CLIP, images=(PICTURE,) * 10), "reference_images"),
        (replace(CLIP, first_frame=PICTURE, audios=(SOUND,)), "reference_images"),
        (replace(STILL, images=(replace(PICTURE, url="mock://a"),)), "reference_images"),
        (replace(CLIP, params={"resolution": "1080p"}), "params.resolution"),
        (replace(SPEECH, duration_s=Decimal(5)), "duration_s"),
        (replace(STILL, model="seedream-9"), "model"),
    ],
)
def test_what_cannot_be_asked_for_is_told_by_the_field_s_name(provider, generation, problem):
    assert [field for field, _ in provider.check(generation)] == [problem]


@pytest.mark.parametrize("content_type", ["image/png", "image/jpeg"])
def test_a_file_is_uploaded_as_what_its_address_was_signed_for(gmi, emulator, submit, content_type):
    picture = Media(content_type=content_type, read=lambda: b"picture")

    submit(replace(STILL, capability="image.edit", images=(picture,)))

    assert gmi.journal.calls["upload 200"] == 2
    assert sent(gmi)[0]["payload"]["image"][0].startswith(f"{emulator.urls['gmi']}/media/")


@pytest.mark.parametrize("fault", ["drop", "nginx", "garbage"])
@pytest.mark.parametrize("after", [0, 1])
def test_an_upload_that_fails_means_that_nothing_was_sent(gmi, submit, fault, after):
    gmi.plan.add({"on": "upload", "do": fault, "times": None, "after": after})
    picture = Media(content_type="image/png", read=lambda: b"picture")

    if (fault, after) == ("garbage", 1):  # whatever the store says, it has said 200
        submit(replace(STILL, images=(picture,)))
        return
    with pytest.raises(NotSent):
        submit(replace(STILL, images=(picture,)))
    assert gmi.journal.count("submit") == 0


@pytest.mark.parametrize(
    "place",
    [
        "https://evil.example/a",
        "http://storage.googleapis.com/a",
        "https://storage.googleapis.com@evil.example/a",
        "https://storage.googleapis.com:8443/a",
        "https://[",
        7,
    ],
)
def test_a_file_is_not_uploaded_to_somebody_else(provider, place):
    answer = {"upload_url": place, "public_url": "https://storage.googleapis.com/a"}
    picture = Media(content_type="image/png", read=lambda: b"picture")
    talk = provider.submit(replace(STILL, images=(picture,)), key=KEY, idem_key="idem")
    next(talk)

    with pytest.raises(NotSent):
        talk.send(Reply(status=200, headers={}, body=json.dumps(answer).encode()))


def test_a_file_of_a_kind_that_cannot_be_uploaded_is_refused_before_anything_is_asked(gmi, submit):
    with pytest.raises(Rejected) as caught:
        submit(replace(STILL, images=(Media(content_type="image/webp", read=lambda: b"picture"),)))

    assert caught.value.reason == "INPUT_UNREACHABLE"
    assert gmi.journal.calls == {}
