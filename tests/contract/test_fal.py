"""fal's adapter against the emulator: what only fal does."""

from decimal import Decimal

import pytest

from providers.adapters.fal import Fal
from providers.contract import Billed, CancelState, Generation, Job, JobState, Media
from providers.errors import KeyRefused, NotSent, ProviderError, Rejected, SubmissionUnknown, Unavailable

STILL = Generation(capability="image.gen", model="fal-ai/flux/dev", prompt="A lighthouse")
PICTURE = Media(content_type="image/png", url="https://example.com/a.png")
CLIP = Media(content_type="video/mp4", url="https://example.com/a.mp4")
KEY = "id:secret"


@pytest.fixture
def provider(emulator) -> Fal:
    return Fal(emulator.urls["fal"])


@pytest.fixture
def submit(provider, converse):
    def submit(generation: Generation = STILL) -> Job:
        return converse(provider.submit(generation, key=KEY, idem_key="idem"))

    return submit


@pytest.fixture
def poll(provider, converse):
    return lambda job: converse(provider.poll(job, key=KEY))


def sent(fal) -> list[dict]:
    return [one["body"] for one in fal.journal.document()["submissions"]]


# --- the paid call -------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("in_a_hurry")
@pytest.mark.parametrize("fault", ["drop", "drop_after", "slow", "garbage"])
def test_a_lost_submission_is_unknown_and_sent_once(fal, submit, fault):
    fal.plan.add({"on": "submit", "do": fault, "delay_s": 3, "times": None})

    with pytest.raises(SubmissionUnknown):
        submit()

    assert fal.journal.count("submit") == 1


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_a_submission_that_met_an_error_is_unknown_and_sent_once(fal, submit, status):
    fal.plan.add({"on": "submit", "do": "status", "status": status, "times": None})

    with pytest.raises(SubmissionUnknown):
        submit()

    assert fal.journal.count("submit") == 1


def test_a_gateway_page_in_place_of_an_answer_leaves_the_submission_unknown(fal, submit):
    fal.plan.add({"on": "submit", "do": "nginx", "times": None})

    with pytest.raises(SubmissionUnknown):
        submit()

    assert fal.journal.count("submit") == 1


def test_a_provider_that_is_not_there_was_sent_nothing(converse):
    nobody = Fal("http://127.0.0.1:9")

    with pytest.raises(NotSent):
        converse(nobody.submit(STILL, key=KEY, idem_key="idem"))


def test_a_busy_provider_says_when_to_come_back(fal, submit):
    fal.plan.add({"on": "submit", "do": "status", "status": 429, "retry_after_s": 7})

    with pytest.raises(Unavailable) as caught:
        submit()

    assert (caught.value.reason, caught.value.retry_after_s) == ("RATE_LIMITED", 7)
    assert fal.journal.accepted() == []


@pytest.mark.parametrize(
    ("status", "code"), [(401, "KEY_INVALID"), (403, "KEY_INVALID"), (402, "INSUFFICIENT_CREDITS")]
)
def test_a_refused_key_buys_nothing(fal, submit, status, code):
    fal.plan.add({"on": "submit", "do": "status", "status": status})

    with pytest.raises(KeyRefused) as caught:
        submit()

    assert caught.value.reason == code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("content_policy_violation", "CONTENT_REFUSED"),
        ("image_load_error", "INPUT_UNREACHABLE"),
        ("", "PROVIDER_REJECTED"),
    ],
)
def test_a_request_that_was_read_and_refused_is_rejected(fal, submit, kind, code):
    fal.plan.add({"on": "submit", "do": "reject", "type": kind})

    with pytest.raises(Rejected) as caught:
        submit()

    assert caught.value.reason == code
    assert "prompt" not in str(caught.value)


def test_an_answer_without_a_job_leaves_the_submission_unknown(fal, submit):
    fal.plan.add({"on": "submit", "do": "status", "status": 200, "body": {"status": "IN_QUEUE"}})

    with pytest.raises(SubmissionUnknown):
        submit()


def test_what_is_sent_carries_a_digest_of_the_key_that_names_the_attempt(fal, submit):
    submit()

    assert [one.idem for one in fal.journal.accepted()] == [
        "b43aae102b191a96b0eef83f7a7a8004ecd2ea986f64726e2541f3d608a9d593"
    ]


# --- field maps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capability", "model", "fields", "body"),
    [
        (
            "image.gen",
            "fal-ai/flux/dev",
            {"aspect": "9:16", "params": {"seed": 4, "mock": {}}},
            '{"seed":4,"prompt":"p","image_size":"portrait_16_9"}',
        ),
        (
            "video.gen",
            "fal-ai/kling-video/v2.1/pro/image-to-video",
            {"duration_s": Decimal(5), "images": (PICTURE,)},
            '{"prompt":"p","image_url":"https://example.com/a.png","duration":"5"}',
        ),
        (
            "video.gen",
            "fal-ai/veo3.1",
            {"aspect": "16:9", "duration_s": Decimal("8.0")},
            '{"generate_audio":true,"resolution":"720p","prompt":"p","duration":"8s","aspect_ratio":"16:9"}',
        ),
        (
            "audio.music",
            "fal-ai/elevenlabs/music",
            {"duration_s": Decimal("12.5")},
            '{"prompt":"p","music_length_ms":12500}',
        ),
        (
            "audio.sfx",
            "fal-ai/elevenlabs/sound-effects",
            {"duration_s": Decimal("2.5")},
            '{"text":"p","duration_seconds":2.5}',
        ),
        (
            "audio.tts",
            "fal-ai/elevenlabs/tts/turbo-v2.5",
            {"params": {"voice": "Rachel"}},
            '{"voice":"Rachel","text":"p"}',
        ),
        (
            "video.edit",
            "fal-ai/kling-video/o1/video-to-video/edit",
            {"duration_s": Decimal(5), "images": (PICTURE,), "videos": (CLIP,)},
            '{"prompt":"p","image_urls":["https://example.com/a.png"],"video_url":"https://example.com/a.mp4"}',
        ),
        (
            "video.upscale",
            "fal-ai/topaz/upscale/video",
            {"prompt": "", "duration_s": Decimal(5), "videos": (CLIP,), "params": {"scale": "2x"}},
            '{"upscale_factor":2,"video_url":"https://example.com/a.mp4"}',
        ),
        (
            "image.upscale",
            "fal-ai/seedvr/upscale/image",
            {"prompt": "", "first_frame": PICTURE, "params": {"scale": "4k", "seed": 7}},
            '{"seed":7,"upscale_mode":"target","target_resolution":"2160p","image_url":"https://example.com/a.png"}',
        ),
    ],
)
def test_each_model_is_asked_in_its_own_words(fal, submit, capability, model, fields, body):
    submit(Generation(capability=capability, model=model, **{"prompt": "p", **fields}))

    assert sent(fal) == [body]


def test_a_small_picture_travels_inside_the_request(fal, submit):
    picture = Media(content_type="image/png", read=lambda: b"\x89PNG")

    submit(Generation(capability="image.edit", model="fal-ai/flux/dev/image-to-image", prompt="p", images=(picture,)))

    assert sent(fal) == ['{"prompt":"p","image_url":"data:image/png;base64,iVBORw=="}']


def test_a_large_picture_is_uploaded_first(fal, emulator, submit):
    picture = Media(content_type="image/png", read=lambda: b"x" * 300_000)

    submit(Generation(capability="image.edit", model="fal-ai/flux/dev/image-to-image", prompt="p", images=(picture,)))

    assert fal.journal.calls["upload 200"] == 2
    assert f'"image_url":"{emulator.urls["fal"]}/media/' in sent(fal)[0]


@pytest.mark.parametrize("fault", ["drop", "nginx", "garbage"])
def test_an_upload_that_fails_means_that_nothing_was_sent(fal, submit, fault):
    fal.plan.add({"on": "upload", "do": fault, "times": None})
    picture = Media(content_type="image/png", read=lambda: b"x" * 300_000)

    with pytest.raises(NotSent):
        submit(
            Generation(capability="image.edit", model="fal-ai/flux/dev/image-to-image", prompt="p", images=(picture,))
        )

    assert fal.journal.count("submit") == 0


# --- polling -------------------------------------------------------------------------------------------------------


def test_a_job_goes_through_the_queue_to_its_result(fal, submit, poll):
    fal.clock.freeze()
    fal.pace.queue_s, fal.pace.run_s = 2, 3

    job = submit()
    waiting = poll(job)
    fal.clock.advance(2)
    running = poll(job)
    fal.clock.advance(3)
    done = poll(job)

    assert (waiting.state, waiting.queue_position) == (JobState.QUEUED, 4)
    assert (running.state, running.queue_position) == (JobState.RUNNING, None)
    assert (done.state, done.cost) == (JobState.DONE, Billed(units=Decimal(1)))


def test_logs_keep_the_time_and_the_level_and_lose_the_text(submit, poll):
    seen = poll(submit())

    assert seen.logs == ("2026-01-01T00:00:00.000Z INFO",)


@pytest.mark.parametrize(
    ("kind", "state", "code"),
    [
        ("runner_disconnected", JobState.FAILED, "PROVIDER_FAILED"),
        ("request_timeout", JobState.FAILED, "PROVIDER_FAILED"),
        ("client_cancelled", JobState.CANCELED, None),
        ("bad_request", JobState.FAILED, "PROVIDER_REJECTED"),
    ],
)
def test_completed_with_an_error_is_not_done(fal, submit, poll, kind, state, code):
    fal.plan.add({"on": "submit", "do": "infra_error", "type": kind})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.outputs) == (state, code, ())


@pytest.mark.parametrize(
    ("rule", "code", "retryable"),
    [
        ({"type": "content_policy_violation"}, "CONTENT_REFUSED", False),
        ({"type": "file_download_error"}, "INPUT_UNREACHABLE", False),
        ({"type": "image_too_small"}, "PROVIDER_REJECTED", False),
        ({"type": "internal_server_error", "status": 500, "retryable": True}, "PROVIDER_FAILED", True),
        ({"type": "downstream_service_error", "status": 400, "retryable": True}, "PROVIDER_FAILED", True),
        ({"type": "generation_timeout", "status": 504, "retryable": False}, "PROVIDER_FAILED", False),
    ],
)
def test_a_result_that_is_an_error_is_a_failure(fal, submit, poll, rule, code, retryable):
    fal.plan.add({"on": "submit", "do": "model_error", **rule})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, code, retryable)


def test_done_without_a_result_is_a_failure(fal, submit, poll):
    fal.plan.add({"on": "submit", "do": "no_output"})

    seen = poll(submit())

    assert (seen.state, seen.error_code) == (JobState.FAILED, "OUTPUT_MISSING")


def test_a_result_that_lags_behind_its_status_is_waited_for(fal, submit, poll):
    job = submit()
    fal.plan.add({"on": "result", "do": "status", "status": 400, "body": {"detail": "Request is still in progress"}})

    assert poll(job).state is JobState.RUNNING
    assert poll(job).state is JobState.DONE


def test_a_job_that_the_provider_forgot_is_lost(fal, submit, poll):
    fal.clock.freeze()
    fal.pace.keep_s = 60
    job = submit()
    fal.clock.advance(61)

    assert (poll(job).state, poll(job).error_code) == (JobState.FAILED, "JOB_LOST")


def test_a_result_that_is_gone_has_expired(fal, submit, poll):
    job = submit()
    fal.plan.add({"on": "result", "do": "gone"})

    assert poll(job).error_code == "OUTPUT_EXPIRED"


@pytest.mark.parametrize("on", ["status", "result"])
def test_trouble_on_the_way_says_nothing_about_the_job(fal, submit, poll, on):
    job = submit()
    fal.plan.add({"on": on, "do": "nginx", "times": None})

    with pytest.raises(Unavailable):
        poll(job)


@pytest.mark.usefixtures("in_a_hurry")
@pytest.mark.parametrize("fault", ["drop", "slow", "garbage"])
def test_a_poll_without_a_sensible_answer_is_to_be_repeated(fal, submit, poll, fault):
    job = submit()
    fal.plan.add({"on": "status", "do": fault, "delay_s": 3, "times": None})

    with pytest.raises(Unavailable):
        poll(job)


def test_a_word_that_we_do_not_know_means_still_working(fal, submit, poll):
    job = submit()
    fal.plan.add({"on": "status", "do": "status", "status": 200, "body": {"status": "PAUSED"}})

    assert poll(job).state is JobState.RUNNING


def test_a_refused_key_is_told_apart_from_a_lost_job(fal, provider, submit, converse):
    job = submit()

    with pytest.raises(KeyRefused):
        converse(provider.poll(job, key="invalid"))


def test_a_stored_address_of_somebody_else_is_never_asked(emulator, submit, poll):
    job = submit()
    forged = {name: url.replace(emulator.urls["fal"], "http://127.0.0.1:9") for name, url in job.urls.items()}

    seen = poll(Job(request_id=job.request_id, model=job.model, urls=forged))

    assert seen.state is JobState.DONE


# --- cancelling ----------------------------------------------------------------------------------------------------


def test_a_job_in_the_queue_is_canceled(fal, provider, submit, poll, converse):
    fal.clock.freeze()
    fal.pace.queue_s = 10
    job = submit()

    asked = converse(provider.cancel(job, key=KEY))

    assert asked is CancelState.REQUESTED
    assert poll(job).state is JobState.CANCELED


def test_a_job_that_does_not_listen_still_ends_in_its_own_time(fal, provider, submit, poll, converse):
    fal.clock.freeze()
    fal.pace.run_s = 10
    job = submit()
    fal.plan.add({"on": "cancel", "do": "ignore"})

    asked = converse(provider.cancel(job, key=KEY))
    fal.clock.advance(10)

    assert asked is CancelState.REQUESTED
    assert poll(job).state is JobState.DONE


def test_a_job_that_never_was_cannot_be_canceled(provider, converse):
    asked = converse(provider.cancel(Job(request_id="nothing", model="fal-ai/flux/dev"), key=KEY))

    assert asked is CancelState.NOT_FOUND


def test_a_job_that_cannot_be_asked_about_raises_only_our_own_errors(fal, provider, converse):
    fal.plan.add({"on": "cancel", "do": "status", "status": 500, "times": None}, {"on": "unknown", "do": "nginx"})

    with pytest.raises(ProviderError):
        converse(provider.cancel(Job(request_id="x", model="fal-ai/flux/dev"), key=KEY))


def test_a_key_is_tried_without_buying_anything(fal, provider, converse):
    assert converse(provider.check_key(key="id:secret")) is True
    assert sent(fal) == []

    with pytest.raises(KeyRefused):
        converse(provider.check_key(key="invalid"))
