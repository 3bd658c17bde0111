"""Replicate's adapter against the emulator: what only Replicate does."""

import json
from decimal import Decimal

import pytest

from providers.adapters.replicate import Replicate
from providers.contract import Billed, CancelState, Generation, Job, JobState, Media
from providers.download import Limits, download
from providers.errors import KeyRefused, NotSent, ProviderError, Unavailable

FLUX = "black-forest-labs/flux-dev"
KLING = "kwaivgi/kling-v2.5-turbo-pro"
STILL = Generation(capability="image.gen", model=FLUX, prompt="A lighthouse")
CLIP_OF_5_S = Generation(capability="video.gen", model=KLING, prompt="A lighthouse", duration_s=Decimal(5))
PICTURE = Media(content_type="image/png", url="https://example.com/a.png")
CLIP = Media(content_type="video/mp4", url="https://example.com/a.mp4")
KEY = "r8_secret"


@pytest.fixture
def desk(emulator):
    return emulator.desks["replicate"]


@pytest.fixture
def provider(emulator) -> Replicate:
    return Replicate(emulator.urls["replicate"])


@pytest.fixture
def submit(provider, converse):
    def submit(generation: Generation = STILL, **fields) -> Job:
        return converse(provider.submit(generation, key=KEY, idem_key="idem", **fields))

    return submit


@pytest.fixture
def poll(provider, converse):
    return lambda job: converse(provider.poll(job, key=KEY))


def sent(desk) -> list[dict]:
    return [json.loads(one["body"]) for one in desk.journal.document()["submissions"]]


# --- the paid call -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("said", "wait_s"), [
    ("Request was throttled. Your rate limit resets in ~30s.", 30),
    ("Request was throttled. Your rate limit resets in 5s.", 5),
    ("Request was throttled.", None),
])  # fmt: skip
def test_when_to_come_back_may_stand_in_a_sentence(desk, submit, said, wait_s):
    desk.plan.add({"on": "submit", "do": "status", "status": 429, "body": {"detail": said}})

    with pytest.raises(Unavailable) as caught:
        submit()

    assert (caught.value.reason, caught.value.retry_after_s) == ("RATE_LIMITED", wait_s)


def test_nothing_runs_there_longer_than_somebody_waits_here(desk, submit, poll):
    desk.clock.freeze()
    desk.pace.run_s = 7200
    job = submit()

    desk.clock.advance(3601)

    assert poll(job).state is JobState.CANCELED


def test_a_job_that_is_done_at_once_needs_no_second_look(desk, submit):
    desk.plan.add({"on": "submit", "do": "at_once"})

    job = submit()

    assert job.snapshot.state is JobState.DONE
    assert len(job.snapshot.outputs) == 1
    assert submit().snapshot is None


def test_a_callback_is_asked_for_where_there_is_somebody_to_call(desk, submit):
    submit()
    submit(callback_url="https://zaps.example/hook")

    without, asked = sent(desk)
    assert without.keys() == {"input"}
    assert asked["webhook"] == "https://zaps.example/hook"
    assert asked["webhook_events_filter"] == ["completed"]


# --- field maps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capability", "model", "fields", "asked"),
    [
        (
            "image.gen",
            FLUX,
            {"aspect": "9:16", "params": {"seed": 4, "mock": {}}},
            {"seed": 4, "prompt": "p", "aspect_ratio": "9:16", "num_outputs": 1, "output_format": "png"},
        ),
        (
            "image.edit",
            "black-forest-labs/flux-kontext-pro",
            {"images": (PICTURE,)},
            {"prompt": "p", "input_image": PICTURE.url, "output_format": "png"},
        ),
        (
            "image.edit",
            "google/nano-banana",
            {"images": (PICTURE, PICTURE), "aspect": "1:1"},
            {"prompt": "p", "image_input": [PICTURE.url] * 2, "aspect_ratio": "1:1", "output_format": "png"},
        ),
        (
            "image.upscale",
            "topazlabs/image-upscale",
            {"prompt": "", "images": (PICTURE,), "params": {"scale": "4x"}},
            {"image": PICTURE.url, "upscale_factor": "4x", "output_format": "png"},
        ),
        (
            "video.extend",
            KLING,
            {"first_frame": PICTURE, "duration_s": Decimal("10.0")},
            {"prompt": "p", "start_image": PICTURE.url, "duration": 10},
        ),
        (
            "video.gen",
            "bytedance/seedance-1-lite",
            {"duration_s": Decimal(7), "aspect": "21:9"},
            {"prompt": "p", "duration": 7, "aspect_ratio": "21:9", "resolution": "720p"},
        ),
        (
            "video.gen",
            "google/veo-3.1",
            {"duration_s": Decimal(8), "aspect": "16:9"},
            {"prompt": "p", "duration": 8, "aspect_ratio": "16:9", "resolution": "1080p", "generate_audio": True},
        ),
        (
            "video.edit",
            "runwayml/gen4-aleph",
            {"videos": (CLIP,), "images": (PICTURE,), "duration_s": Decimal(5)},
            {"prompt": "p", "video": CLIP.url, "reference_image": PICTURE.url},
        ),
        (
            "video.upscale",
            "topazlabs/video-upscale",
            {"prompt": "", "videos": (CLIP,), "duration_s": Decimal(5), "params": {"scale": "4k"}},
            {"video": CLIP.url, "target_resolution": "4k", "target_fps": 30},
        ),
        (
            "audio.tts",
            "minimax/speech-02-turbo",
            {"params": {"voice_id": "Wise_Woman"}},
            {"text": "p", "voice_id": "Wise_Woman"},
        ),
        (
            "audio.sfx",
            "stability-ai/stable-audio-2.5",
            {"duration_s": Decimal(3)},
            {"prompt": "p", "duration": 3},
        ),
    ],
)
def test_each_model_is_asked_in_its_own_words(desk, submit, poll, capability, model, fields, asked):
    generation = Generation(capability=capability, model=model, **{"prompt": "p", **fields})

    job = submit(generation)

    assert sent(desk) == [{"input": asked}]
    assert desk.journal.accepted()[0].model == model
    assert poll(job).state is JobState.DONE


def test_a_small_picture_travels_inside_the_request(desk, submit):
    picture = Media(content_type="image/png", read=lambda: b"\x89PNG")

    submit(Generation(capability="video.extend", model=KLING, prompt="p", first_frame=picture))

    assert sent(desk)[0]["input"]["start_image"] == "data:image/png;base64,iVBORw=="


def test_a_large_picture_is_uploaded_first(desk, emulator, submit):
    picture = Media(content_type="image/png", read=lambda: b"x" * 300_000)

    submit(Generation(capability="video.extend", model=KLING, prompt="p", first_frame=picture))

    assert desk.journal.calls["upload 201"] == 1
    assert sent(desk)[0]["input"]["start_image"].startswith(f"{emulator.urls['replicate']}/v1/files/")


@pytest.mark.parametrize("fault", ["drop", "nginx", "garbage"])
def test_an_upload_that_fails_means_that_nothing_was_sent(desk, submit, fault):
    desk.plan.add({"on": "upload", "do": fault, "times": None})
    picture = Media(content_type="image/png", read=lambda: b"x" * 300_000)

    with pytest.raises(NotSent):
        submit(Generation(capability="video.extend", model=KLING, prompt="p", first_frame=picture))

    assert desk.journal.count("submit") == 0


# --- polling -------------------------------------------------------------------------------------------------------


def test_a_job_goes_from_waiting_to_its_result(desk, submit, poll):
    desk.clock.freeze()
    desk.pace.queue_s, desk.pace.run_s = 2, 3

    job = submit(CLIP_OF_5_S)
    waiting = poll(job)
    desk.clock.advance(2)
    running = poll(job)
    desk.clock.advance(3)
    done = poll(job)

    assert (waiting.state, waiting.progress) == (JobState.QUEUED, None)
    assert (running.state, running.progress) == (JobState.RUNNING, 0.4)
    assert (done.state, done.progress, done.cost) == (JobState.DONE, 1.0, None)


def test_the_result_can_be_fetched_and_is_what_was_asked_for(provider, submit, poll, tmp_path):
    seen = poll(submit(CLIP_OF_5_S))

    found = download(seen.outputs[0], tmp_path, provider=provider, key=KEY, limits=Limits(allow_loopback=True))

    assert (found.kind, found.content_type) == ("mp4", "video/mp4")


def test_the_seed_that_was_asked_for_is_kept(submit, poll):
    job = submit(Generation(capability="image.gen", model=FLUX, prompt="p", params={"seed": 7}))

    assert poll(job).seed == 7


@pytest.mark.parametrize(
    ("said", "code", "retryable"),
    [
        ("Prediction interrupted; please retry (code: PA)", "PROVIDER_FAILED", True),
        ("The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
         "CONTENT_REFUSED", False),
        ("NSFW content detected. Try running it again, or try a different prompt.", "CONTENT_REFUSED", False),
        ("Service is currently unavailable due to high demand. Please try again later. (E003)",
         "PROVIDER_UNAVAILABLE", True),
        ("The input was invalid: aspect_ratio. (E006)", "PROVIDER_REJECTED", False),
        ("Something else (E9243)", "PROVIDER_FAILED", True),
    ],
)  # fmt: skip
def test_why_a_job_failed_is_told_by_the_mark_in_its_error(desk, submit, poll, said, code, retryable):
    desk.plan.add({"on": "submit", "do": "fail", "body": said})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, code, retryable)


def test_a_job_that_never_began_failed_for_now_and_for_nothing(desk, submit, poll):
    desk.plan.add({"on": "submit", "do": "aborted"})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, "PROVIDER_UNAVAILABLE", True)
    assert (seen.cost.usd, seen.cost.source) == (0, "reported")


def test_a_job_that_was_stopped_at_work_is_paid_for(desk, submit, poll):
    desk.plan.add({"on": "submit", "do": "stopped"})

    seen = poll(submit())

    assert (seen.state, seen.cost) == (JobState.CANCELED, Billed())


def test_done_without_a_result_is_a_failure_that_was_paid_for(desk, submit, poll):
    desk.plan.add({"on": "submit", "do": "no_output"})

    seen = poll(submit())

    assert (seen.state, seen.error_code) == (JobState.FAILED, "OUTPUT_MISSING")
    assert seen.cost == Billed()


def test_a_result_that_was_deleted_has_expired(desk, submit, poll):
    desk.clock.freeze()
    desk.pace.keep_s = 3600
    job = submit()
    desk.clock.advance(3601)

    assert (poll(job).state, poll(job).error_code) == (JobState.FAILED, "OUTPUT_EXPIRED")


def test_a_part_of_a_result_is_no_result(desk, submit, poll):
    desk.clock.freeze()
    desk.pace.run_s = 5
    desk.plan.add({"on": "submit", "do": "partial"})
    job = submit()

    early = poll(job)
    desk.clock.advance(5)
    late = poll(job)

    assert (early.state, early.outputs) == (JobState.RUNNING, ())
    assert (late.state, len(late.outputs)) == (JobState.DONE, 1)


def test_a_result_may_be_an_object_with_addresses_in_it(desk, submit, poll):
    desk.plan.add({"on": "submit", "do": "object"})

    seen = poll(submit())

    assert (seen.state, len(seen.outputs)) == (JobState.DONE, 1)


@pytest.mark.parametrize("word", ["paused", "", None, 7])
def test_a_word_that_we_do_not_know_means_still_working(desk, submit, poll, word):
    job = submit()
    desk.plan.add({"on": "status", "do": "status", "status": 200, "body": {"status": word}})

    assert poll(job).state is JobState.RUNNING


def test_a_job_that_the_provider_does_not_know_is_lost(poll):
    seen = poll(Job(request_id="nothing", model=FLUX))

    assert (seen.state, seen.error_code) == (JobState.FAILED, "JOB_LOST")


@pytest.mark.usefixtures("in_a_hurry")
@pytest.mark.parametrize("fault", ["drop", "slow", "garbage", "nginx"])
def test_a_poll_without_a_sensible_answer_is_to_be_repeated(desk, submit, poll, fault):
    job = submit()
    desk.plan.add({"on": "status", "do": fault, "delay_s": 3, "times": None})

    with pytest.raises(Unavailable):
        poll(job)


def test_a_refused_key_is_told_apart_from_a_lost_job(provider, submit, converse):
    job = submit()

    with pytest.raises(KeyRefused):
        converse(provider.poll(job, key="invalid"))


def test_a_key_is_tried_for_nothing(desk, provider, converse):
    assert converse(provider.check_key(key=KEY)) is True
    with pytest.raises(KeyRefused):
        converse(provider.check_key(key="invalid"))

    assert desk.journal.count("submit") == 0


# --- cancelling ----------------------------------------------------------------------------------------------------


def test_a_job_that_waits_is_canceled_for_nothing(desk, provider, submit, poll, converse):
    desk.clock.freeze()
    desk.pace.queue_s = 10
    job = submit()

    asked = converse(provider.cancel(job, key=KEY))

    assert asked is CancelState.CANCELED
    assert (poll(job).state, poll(job).cost) == (JobState.CANCELED, None)


def test_a_job_that_does_not_listen_still_ends_in_its_own_time(desk, provider, submit, poll, converse):
    desk.clock.freeze()
    desk.pace.run_s = 10
    job = submit()
    desk.plan.add({"on": "cancel", "do": "ignore"})

    asked = converse(provider.cancel(job, key=KEY))
    desk.clock.advance(10)

    assert asked is CancelState.REQUESTED
    assert poll(job).state is JobState.DONE


@pytest.mark.parametrize("ending", ["fail", "aborted"])
def test_a_job_that_failed_cannot_be_stopped(desk, provider, submit, converse, ending):
    desk.plan.add({"on": "submit", "do": ending})
    job = submit()

    assert converse(provider.cancel(job, key=KEY)) is CancelState.ALREADY_TERMINAL


def test_a_job_that_never_was_cannot_be_canceled(provider, converse):
    asked = converse(provider.cancel(Job(request_id="nothing", model=FLUX), key=KEY))

    assert asked is CancelState.NOT_FOUND


@pytest.mark.parametrize("fault", [{"do": "status", "status": 500}, {"do": "garbage"}, {"do": "drop"}])
def test_a_job_that_cannot_be_asked_about_raises_only_our_own_errors(desk, provider, submit, converse, fault):
    job = submit()
    desk.plan.add({"on": "cancel", "times": None, **fault})

    with pytest.raises(ProviderError):
        converse(provider.cancel(job, key=KEY))
