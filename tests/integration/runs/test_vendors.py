"""A live run at one vendor after the other: bought from the emulator, fetched, stored and booked."""

from decimal import Decimal

import pytest

from media.mock import mock_media
from tests.factories import planned
from tests.integration.runs.life import attempts_of, go_on, live, states
from tests.internet import internet
from zaps.planned import InputRef, Role, Source

pytestmark = pytest.mark.django_db(transaction=True)

GMI = {"provider": "gmi"}
OPENROUTER = {"provider": "openrouter"}
PRODIA = {"provider": "prodia"}
REPLICATE = {"provider": "replicate"}
KEYS = {
    "gmi": ("GMI_API_KEY", "GMI_ORG_ID"),
    "openrouter": ("OPENROUTER_API_KEY",),
    "prodia": ("PRODIA_TOKEN",),
    "replicate": ("REPLICATE_API_TOKEN",),
}
FRAME = (InputRef(source=Source.STEP, name="clip", role=Role.FIRST_FRAME),)


@pytest.fixture
def vendors(emulator, monkeypatch):
    """The desks of the vendors that this process buys from."""
    addresses = {f"{name.upper()}_BASE_URL": emulator.urls[name] for name in KEYS}
    keys = {variable: "secret" for variables in KEYS.values() for variable in variables}
    for name, value in {**addresses, **keys, "ZAP_ALLOW_LOOPBACK": "1"}.items():
        monkeypatch.setenv(name, value)
    return emulator.desks


def kinds(run):
    return sorted(run.assets.values_list("step__step_id", "kind"))


def costs(run):
    return {one.step.step_id: (one.actual_usd, one.cost_source) for one in run.attempts.select_related("step")}


def test_gmi_makes_a_film_from_a_picture_that_it_made(bells, vendors):
    run = live(
        planned("still", model="seedream-5.0-lite", quote="0.035", **GMI),
        planned(
            "clip", "still", kind="video.gen", model="seedance-2-0-260128", duration_s=Decimal(4), quote="0.28", **GMI
        ),
        planned(
            "more", "clip", kind="video.extend", model="seedance-2-0-260128", duration_s=Decimal(4), quote="0.28",
            inputs=FRAME, **GMI,
        ),
        planned("voice", kind="audio.tts", model="minimax-tts-speech-2.8-hd", quote="0.001", **GMI),
    )  # fmt: skip

    go_on(bells)

    assert states(run)[0] == "done"
    assert kinds(run) == [("clip", "mp4"), ("more", "mp4"), ("still", "png"), ("voice", "wav")]
    assert costs(run)["clip"] == (Decimal("0.28"), "quoted")
    assert len(vendors["gmi"].journal.accepted()) == 4


def test_prodia_makes_a_film_from_a_picture_that_came_with_its_answer(bells, vendors):
    run = live(
        planned("sketch", model="inference.flux-fast.schnell.txt2img.v2", quote="0.0025", **PRODIA),
        planned(
            "clip", "sketch", kind="video.gen", model="inference.wan2-7.img2vid.v1", duration_s=Decimal(4),
            quote="0.60", **PRODIA,
        ),
    )  # fmt: skip

    go_on(bells)

    assert states(run)[0] == "done"
    assert kinds(run) == [("clip", "mp4"), ("sketch", "png")]
    assert costs(run) == {"sketch": (Decimal("0.0025"), "reported"), "clip": (Decimal("0.25"), "reported")}
    assert len(vendors["prodia"].journal.accepted()) == 2


def test_prodia_is_given_a_file_that_lies_on_the_web(bells, vendors, monkeypatch, tmp_path):
    photo = InputRef(source=Source.USER, name="PHOTO", media="image")
    edit = planned(
        "edit", kind="image.edit", model="inference.flux-2.pro.img2img.v1", quote="0.06", inputs=(photo,), **PRODIA
    )
    with internet(monkeypatch, tmp_path) as web:
        url = web.put("https://photos.example/a.png", mock_media("png", seed="1"))
        good = live(edit, inputs={"PHOTO": url})
        bad = live(edit, inputs={"PHOTO": "https://photos.example/gone.png"})
        go_on(bells)

    assert states(good) == ("done", {"edit": "done"})
    assert states(bad) == ("failed", {"edit": "failed"})
    assert bad.steps.get().error == "INPUT_UNREACHABLE"
    assert (bad.attempts.get().actual_usd, len(vendors["prodia"].journal.accepted())) == (0, 1)
    assert "image/png" in vendors["prodia"].journal.accepted()[0].body


def test_openrouter_makes_a_film_from_pictures_and_speech_that_were_answers(bells, vendors):
    run = live(
        planned("still", model="google/gemini-2.5-flash-image", quote="0.039", **OPENROUTER),
        planned(
            "clip", "still", kind="video.gen", model="google/veo-3.1-fast", duration_s=Decimal(4), quote="0.60",
            **OPENROUTER,
        ),
        planned("voice", kind="audio.tts", model="openai/gpt-4o-mini-tts-2025-12-15", quote="0.001", **OPENROUTER),
    )  # fmt: skip

    go_on(bells)

    assert states(run)[0] == "done"
    assert kinds(run) == [("clip", "mp4"), ("still", "png"), ("voice", "wav")]
    assert costs(run)["still"] == (Decimal("0.04"), "reported")
    assert costs(run)["clip"] == (Decimal("0.5"), "reported")
    assert costs(run)["voice"][1] == "quoted"
    assert len(vendors["openrouter"].journal.accepted()) == 3


def test_replicate_makes_a_film_and_is_booked_as_quoted(bells, vendors):
    run = live(
        planned("still", model="black-forest-labs/flux-schnell", quote="0.003", **REPLICATE),
        planned(
            "clip", "still", kind="video.gen", model="kwaivgi/kling-v2.5-turbo-pro", duration_s=Decimal(5),
            quote="0.35", **REPLICATE,
        ),
        planned(
            "music", kind="audio.music", model="stability-ai/stable-audio-2.5", duration_s=Decimal(3), quote="0.20",
            **REPLICATE,
        ),
    )  # fmt: skip

    go_on(bells)

    assert states(run)[0] == "done"
    assert kinds(run) == [("clip", "mp4"), ("music", "wav"), ("still", "png")]
    assert costs(run)["clip"] == (Decimal("0.35"), "quoted")
    assert len(vendors["replicate"].journal.accepted()) == 3


@pytest.mark.parametrize("name", ["gmi", "openrouter", "prodia", "replicate"])
def test_a_lost_answer_is_not_asked_for_again(bells, vendors, name):
    model = {
        "gmi": "seedream-5.0-lite",
        "openrouter": "google/gemini-2.5-flash-image",
        "prodia": "inference.flux-2.pro.txt2img.v1",
        "replicate": "black-forest-labs/flux-dev",
    }[name]
    vendors[name].plan.add({"on": "submit", "do": "drop_after"})
    run = live(planned("a", provider=name, model=model, quote="0.06"))

    go_on(bells, rounds=5)

    assert [one.status for one in attempts_of(run)] == ["unknown"]
    assert len(vendors[name].journal.accepted()) == 1
