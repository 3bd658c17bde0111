from dataclasses import replace
from decimal import Decimal

import pytest

from providers.adapters.mock import Mock
from providers.contract import CancelState, Generation, JobState
from providers.errors import KeyRefused, NotSent, Rejected, SubmissionUnknown, Unavailable
from providers.http import hold
from providers.mock_media import MockMedia

CLIP = Generation(
    capability="video.gen", model="mock/video.gen", prompt="A red kite", duration_s=Decimal(5), aspect="9:16"
)


def submit(generation=CLIP, provider=None, idem_key="idem"):
    return hold((provider or Mock()).submit(generation, key="", idem_key=idem_key))


def poll(job):
    return hold(Mock().poll(job, key=""))


@pytest.mark.parametrize(
    ("capability", "kind"),
    [
        ("image.gen", "png"),
        ("image.edit", "png"),
        ("image.upscale", "png"),
        ("video.gen", "mp4"),
        ("video.extend", "mp4"),
        ("video.edit", "mp4"),
        ("video.upscale", "mp4"),
        ("audio.tts", "wav"),
        ("audio.music", "wav"),
        ("audio.sfx", "wav"),
    ],
)
def test_it_makes_every_kind_of_media(capability, kind):
    generation = Generation(capability=capability, model=Mock().default_model(capability), prompt="p")

    seen = poll(submit(generation))

    assert generation.model == f"mock/{capability}"
    assert MockMedia.parse(seen.outputs[0].url).kind == kind


def test_what_is_delivered_follows_what_was_asked():
    media = MockMedia.parse(poll(submit()).outputs[0].url)

    assert (media.width, media.height, media.duration_s, media.label) == (360, 640, Decimal(5), "A red kite")


def test_a_picture_is_made_larger():
    larger = Generation(capability="image.upscale", model="mock/image.upscale", aspect="9:16", params={"scale": "4k"})

    media = MockMedia.parse(poll(submit(larger)).outputs[0].url)

    assert (media.width, media.height) == (720, 1280)


def test_the_same_request_gives_the_same_result_and_another_another():
    first, again, other = (
        poll(submit(generation)).outputs for generation in (CLIP, CLIP, replace(CLIP, prompt="A blue kite"))
    )

    assert first == again
    assert first != other


def test_each_attempt_has_its_own_job():
    assert submit(idem_key="1").request_id != submit(idem_key="2").request_id
    assert submit(idem_key="1").request_id == submit(idem_key="1").request_id


def test_a_seed_is_kept():
    assert poll(submit(replace(CLIP, params={"seed": 42}))).seed == 42


def test_a_slow_job_goes_through_the_queue_and_shows_progress(time_machine):
    time_machine.move_to("2026-11-21T12:00:00Z", tick=False)
    job = submit(replace(CLIP, params={"mock": {"latency_s": 20}}))

    seen = []
    for moment in ("12:00:01", "12:00:05", "12:00:19", "12:00:20"):
        time_machine.move_to(f"2026-11-21T{moment}Z", tick=False)
        snapshot = poll(job)
        seen.append((snapshot.state, snapshot.progress, len(snapshot.outputs)))

    assert seen == [
        (JobState.QUEUED, 0.05, 0),
        (JobState.RUNNING, 0.25, 0),
        (JobState.RUNNING, 0.95, 0),
        (JobState.DONE, 1.0, 1),
    ]


def test_a_job_fails_on_request():
    seen = poll(submit(replace(CLIP, params={"mock": {"fail": "CONTENT_REFUSED"}})))

    assert (seen.state, seen.error_code, seen.outputs) == (JobState.FAILED, "CONTENT_REFUSED", ())


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("SUBMISSION_UNAVAILABLE", NotSent),
        ("SUBMISSION_UNKNOWN", SubmissionUnknown),
        ("PROVIDER_REJECTED", Rejected),
        ("INSUFFICIENT_CREDITS", KeyRefused),
        ("RATE_LIMITED", Unavailable),
    ],
)
def test_a_submission_fails_on_request(code, kind):
    with pytest.raises(kind) as caught:
        submit(replace(CLIP, params={"mock": {"fail": code}}))

    assert caught.value.reason == code


def test_a_step_s_own_latency_beats_the_environment_s():
    slow = Mock(None, "60")

    assert poll(submit(provider=slow)).state is JobState.QUEUED
    assert poll(submit(replace(CLIP, params={"mock": {"latency_s": 0}}), provider=slow)).state is JobState.DONE


def test_stopping_is_heard():
    job = submit(provider=Mock(None, "60"))

    assert hold(Mock().cancel(job, key="")) is CancelState.REQUESTED
    assert hold(Mock().cancel(submit(), key="")) is CancelState.ALREADY_TERMINAL


@pytest.mark.parametrize(
    ("params", "field"),
    [
        ({"mock": "slow"}, "params.mock"),
        ({"mock": {"latency_s": -1}}, "params.mock.latency_s"),
        ({"mock": {"latency_s": "1"}}, "params.mock.latency_s"),
    ],
)
def test_nonsense_is_refused_at_plan_time(params, field):
    assert [name for name, _ in Mock().check(replace(CLIP, params=params))] == [field]


def test_an_address_is_read_as_it_was_written():
    media = MockMedia(kind="mp4", seed="7", label="Käfer & co = 5%", width=640, height=360, duration_s=Decimal("2.5"))

    assert MockMedia.parse(media.url()) == media


@pytest.mark.parametrize(
    "url",
    [
        "https://media/png",
        "mock://elsewhere/png?seed=1",
        "mock://media/exe",
        "mock://media/png?size=big",
        "mock://media/mp4?duration=long",
    ],
)
def test_an_address_of_something_else_is_refused(url):
    with pytest.raises(ValueError, match=r"mock result|not a number|invalid literal"):
        MockMedia.parse(url)
