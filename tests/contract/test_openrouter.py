"""OpenRouter's adapter against the emulator: what only OpenRouter does."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from providers.adapters.openrouter import OpenRouter
from providers.contract import Billed, CancelState, Cost, Generation, Job, JobState, Media
from providers.download import Limits, download
from providers.errors import KeyRefused, NotSent, OutputExpired, Rejected, SubmissionUnknown, Unavailable

GEMINI = "google/gemini-2.5-flash-image"
VEO = "google/veo-3.1-fast"
SPEECH = "openai/gpt-4o-mini-tts-2025-12-15"
STILL = Generation(capability="image.gen", model=GEMINI, prompt="A lighthouse")
CLIP = Generation(capability="video.gen", model=VEO, prompt="A lighthouse", duration_s=Decimal(4))
WORDS = Generation(capability="audio.tts", model=SPEECH, prompt="Look, a lighthouse!")
AT_ONCE = [STILL, WORDS]
NAMES = ["picture", "speech"]
PICTURE = Media(content_type="image/png", url="https://example.com/a.png")
BYTES = Media(content_type="image/png", read=lambda: b"\x89PNG")
KEY = "sk-or-secret"
LIMITS = Limits(allow_loopback=True)


@pytest.fixture
def desk(emulator):
    return emulator.desks["openrouter"]


@pytest.fixture
def provider(emulator) -> OpenRouter:
    return OpenRouter(emulator.urls["openrouter"])


@pytest.fixture
def submit(provider, converse):
    def submit(generation: Generation = CLIP, **fields) -> Job:
        return converse(provider.submit(generation, key=KEY, idem_key="idem", **fields))

    return submit


@pytest.fixture
def poll(provider, converse):
    return lambda job: converse(provider.poll(job, key=KEY))


def sent(desk) -> list[dict]:
    return [json.loads(one["body"]) for one in desk.journal.document()["submissions"]]


# --- what is the answer to its own request -------------------------------------------------------------------------


def test_a_picture_is_the_answer_to_its_request(provider, submit, tmp_path):
    job = submit(STILL)

    found = download(job.snapshot.outputs[0], tmp_path, provider=provider, limits=LIMITS)

    assert (job.snapshot.state, len(job.snapshot.outputs)) == (JobState.DONE, 1)
    assert (job.snapshot.cost.usd, job.snapshot.cost.source) == (Decimal("0.04"), "reported")
    assert found.content_type == "image/png"


def test_speech_is_the_answer_to_its_request(provider, submit, tmp_path):
    job = submit(WORDS)

    found = download(job.snapshot.outputs[0], tmp_path, provider=provider, limits=LIMITS)

    assert job.snapshot.state is JobState.DONE
    assert job.snapshot.cost == Billed()
    assert found.content_type == "audio/mpeg"


@pytest.mark.usefixtures("in_a_hurry")
@pytest.mark.parametrize("asked", AT_ONCE, ids=NAMES)
def test_it_is_waited_for_as_long_as_it_takes(desk, submit, asked):
    desk.pace.run_s = 1.5  # longer than these tests give any other call

    assert submit(asked).snapshot.state is JobState.DONE


@pytest.mark.parametrize("asked", AT_ONCE, ids=NAMES)
def test_it_is_known_by_the_name_of_what_was_generated(desk, submit, asked):
    job = submit(asked)

    assert job.request_id == desk.journal.accepted()[0].request_id


@pytest.mark.parametrize(
    ("asked", "cost"), [(STILL, Cost(usd=Decimal("0.04"), source="reported")), (WORDS, Billed())], ids=NAMES
)
def test_whoever_loses_it_has_lost_the_result_and_not_the_bill(desk, submit, poll, asked, cost):
    job = submit(asked)

    seen = poll(Job(request_id=job.request_id, model=job.model, urls=dict(job.urls)))

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, "OUTPUT_EXPIRED", True)
    assert seen.cost == cost
    assert desk.journal.count("status") == 0


@pytest.mark.parametrize("asked", AT_ONCE, ids=NAMES)
@pytest.mark.parametrize(("fault", "made"), [("drop", 0), ("drop_after", 1), ("garbage", 0), ("nginx", 0)])
def test_one_whose_answer_is_lost_is_unknown_and_sent_once(desk, submit, asked, fault, made):
    desk.plan.add({"on": "submit", "do": fault, "times": None})

    with pytest.raises(SubmissionUnknown):
        submit(asked)

    assert (desk.journal.count("submit"), len(desk.journal.accepted())) == (1, made)


@pytest.mark.parametrize("asked", AT_ONCE, ids=NAMES)
@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_one_that_met_an_error_is_unknown_and_sent_once(desk, submit, asked, status):
    body = {"error": {"code": status, "message": "Provider returned error"}}
    desk.plan.add({"on": "submit", "do": "status", "status": status, "body": body, "times": None})

    with pytest.raises(SubmissionUnknown):
        submit(asked)

    assert desk.journal.count("submit") == 1


@pytest.mark.parametrize("asked", AT_ONCE, ids=NAMES)
@pytest.mark.parametrize(
    ("status", "said", "code", "retryable"),
    [
        (502, "Provider returned error", "PROVIDER_FAILED", True),
        (408, "Timed out", "PROVIDER_FAILED", True),
        (502, "Blocked by the safety system", "CONTENT_REFUSED", False),
    ],
)
def test_a_model_that_began_and_failed_is_told_in_a_success(desk, submit, asked, status, said, code, retryable):
    desk.plan.add({"on": "submit", "do": "late_error", "status": status, "body": said})

    seen = submit(asked).snapshot

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, code, retryable)


@pytest.mark.parametrize(
    ("status", "error"), [(429, Unavailable), (402, KeyRefused), (401, KeyRefused), (400, Rejected), (403, KeyRefused)]
)
def test_a_refusal_may_hide_in_a_success(desk, submit, status, error):
    desk.plan.add({"on": "submit", "do": "late_error", "status": status})

    with pytest.raises(error):
        submit(STILL)


def test_a_picture_that_is_not_there_is_missing_and_paid_for(desk, submit):
    desk.plan.add({"on": "submit", "do": "no_output"})

    job = submit(STILL)

    assert (job.snapshot.state, job.snapshot.error_code) == (JobState.FAILED, "OUTPUT_MISSING")
    assert job.snapshot.cost.usd == Decimal("0.04")


def test_a_large_picture_fits_into_an_answer(desk, submit):
    text = "A" * 20_000_000
    body = {"data": [{"b64_json": text, "media_type": "image/png"}], "usage": {"cost": 0.04}}
    desk.plan.add({"on": "submit", "do": "status", "status": 200, "body": body})

    assert len(submit(STILL).snapshot.outputs[0].content) == 15_000_000


def test_nobody_is_called_back_about_what_is_an_answer(desk, submit):
    submit(STILL, callback_url="https://zaps.example/hook")
    submit(CLIP, callback_url="https://zaps.example/hook")
    submit(CLIP)

    assert [one.get("callback_url") for one in sent(desk)] == [None, "https://zaps.example/hook", None]


# --- the paid call -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("asked", [STILL, CLIP, WORDS], ids=["picture", "clip", "speech"])
def test_what_moderation_flags_is_refused_and_no_fault_of_the_key(desk, submit, asked):
    desk.plan.add({"on": "submit", "do": "flagged"})

    with pytest.raises(Rejected) as caught:
        submit(asked)

    assert caught.value.reason == "CONTENT_REFUSED"


@pytest.mark.parametrize("asked", [STILL, CLIP, WORDS], ids=["picture", "clip", "speech"])
def test_where_no_vendor_can_be_found_nothing_was_bought(desk, submit, asked):
    desk.plan.add({"on": "submit", "do": "no_provider"})

    with pytest.raises(Unavailable):
        submit(asked)

    assert desk.journal.accepted() == []


@pytest.mark.parametrize("asked", AT_ONCE, ids=NAMES)
def test_a_provider_that_is_not_there_was_sent_nothing(converse, asked):
    with pytest.raises(NotSent):
        converse(OpenRouter("http://127.0.0.1:9").submit(asked, key=KEY, idem_key="idem"))


# --- field maps ----------------------------------------------------------------------------------------------------

IN_AN_OBJECT = {"type": "image_url", "image_url": {"url": PICTURE.url}}


@pytest.mark.parametrize(
    ("capability", "model", "fields", "asked"),
    [
        ("image.gen", GEMINI, {"aspect": "9:16"}, {"prompt": "p", "aspect_ratio": "9:16", "n": 1}),
        (
            "image.edit",
            GEMINI,
            {"images": (PICTURE, PICTURE)},
            {"prompt": "p", "input_references": [IN_AN_OBJECT] * 2, "n": 1},
        ),
        (
            "image.gen",
            "bytedance-seed/seedream-4.5",
            {"params": {"seed": 4, "mock": {}}},
            {"prompt": "p", "seed": 4, "n": 1, "resolution": "2K"},
        ),
        (
            "video.gen",
            VEO,
            {"duration_s": Decimal("8.0"), "aspect": "16:9"},
            {"prompt": "p", "duration": 8, "aspect_ratio": "16:9", "resolution": "720p", "generate_audio": True},
        ),
        (
            "video.extend",
            "bytedance/seedance-2.0",
            {"duration_s": Decimal(7), "first_frame": PICTURE},
            {
                "prompt": "p",
                "duration": 7,
                "frame_images": [{**IN_AN_OBJECT, "frame_type": "first_frame"}],
                "resolution": "720p",
                "generate_audio": True,
            },
        ),
        (
            "video.gen",
            "google/veo-3.1",
            {"duration_s": Decimal(4), "images": (BYTES,)},
            {
                "prompt": "p",
                "duration": 4,
                "frame_images": [
                    {
                        "type": "image_url",
                        "image_url": {"url": "data:image/png;base64,iVBORw=="},
                        "frame_type": "first_frame",
                    }
                ],
                "resolution": "1080p",
                "generate_audio": True,
            },
        ),
        (
            "audio.tts",
            SPEECH,
            {"params": {"voice": "nova", "speed": 1.5}},
            {"input": "p", "voice": "nova", "speed": 1.5, "response_format": "mp3"},
        ),
        ("audio.tts", SPEECH, {}, {"input": "p", "voice": "alloy", "response_format": "mp3"}),
    ],
)
def test_each_model_is_asked_in_its_own_words(desk, submit, capability, model, fields, asked):
    submit(Generation(capability=capability, model=model, prompt="p", **fields))

    assert sent(desk) == [{"model": model, **asked}]
    assert len(desk.journal.accepted()) == 1


def test_a_file_that_is_too_large_is_refused_here(desk, submit):
    picture = Media(content_type="image/png", read=lambda: b"x" * 20_000_001)

    with pytest.raises(Rejected):
        submit(replace(CLIP, first_frame=picture))

    assert desk.journal.count("submit") == 0


# --- clips ---------------------------------------------------------------------------------------------------------


def test_a_clip_goes_from_waiting_to_its_result(desk, submit, poll):
    desk.clock.freeze()
    desk.pace.queue_s, desk.pace.run_s = 2, 3

    job = submit()
    waiting = poll(job)
    desk.clock.advance(2)
    running = poll(job)
    desk.clock.advance(3)
    done = poll(job)

    assert [one.state for one in (waiting, running, done)] == [JobState.QUEUED, JobState.RUNNING, JobState.DONE]
    assert (done.cost.usd, done.cost.source) == (Decimal("0.5"), "reported")
    assert (waiting.cost, running.cost) == (None, None)


def test_a_clip_is_fetched_with_the_key_from_openrouter_itself(emulator, provider, submit, poll, tmp_path):
    (output,) = poll(submit()).outputs

    found = download(output, tmp_path, provider=provider, key=KEY, limits=LIMITS)

    assert output.url.startswith(f"{emulator.urls['openrouter']}/videos/")
    assert found.content_type == "video/mp4"
    with pytest.raises(OutputExpired):
        download(output, tmp_path, provider=provider, key="invalid", limits=LIMITS)


def test_where_the_vendor_says_that_a_clip_lies_does_not_matter(desk, emulator, submit, poll):
    job = submit()
    body = {"status": "completed", "unsigned_urls": ["https://evil.example/a.mp4"], "usage": {"cost": 0.5}}
    desk.plan.add({"on": "status", "do": "status", "status": 200, "body": body})

    (output,) = poll(job).outputs

    assert output.url == f"{emulator.urls['openrouter']}/videos/{job.request_id}/content?index=0"


def test_a_job_may_make_several_clips(desk, submit, poll):
    desk.plan.add({"on": "submit", "do": "several"})

    assert [one.url[-7:] for one in poll(submit()).outputs] == ["index=0", "index=1"]


def test_what_somebody_else_s_key_paid_for_is_not_taken_for_the_whole_cost(desk, submit, poll):
    desk.plan.add({"on": "submit", "do": "byok"})

    assert poll(submit()).cost is None


@pytest.mark.parametrize(
    ("fault", "state", "code", "retryable"),
    [
        ({"do": "fail"}, JobState.FAILED, "PROVIDER_FAILED", True),
        ({"do": "fail", "body": "The prompt was flagged by moderation"}, JobState.FAILED, "CONTENT_REFUSED", False),
        ({"do": "expired"}, JobState.FAILED, "OUTPUT_EXPIRED", True),
        ({"do": "no_output"}, JobState.FAILED, "OUTPUT_MISSING", True),
        ({"do": "cancelled"}, JobState.CANCELED, None, False),
    ],
)
def test_each_end_has_its_word(desk, submit, poll, fault, state, code, retryable):
    desk.plan.add({"on": "submit", **fault})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.retryable, seen.outputs) == (state, code, retryable, ())


@pytest.mark.parametrize("word", ["paused", "", None, 7])
def test_a_word_that_we_do_not_know_means_still_working(desk, submit, poll, word):
    job = submit()
    desk.plan.add({"on": "status", "do": "status", "status": 200, "body": {"status": word}})

    assert poll(job).state is JobState.RUNNING


def test_a_clip_that_the_provider_does_not_know_is_lost(poll):
    seen = poll(Job(request_id="nothing", model=VEO))

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


def test_nothing_can_be_stopped(desk, provider, submit, converse):
    desk.clock.freeze()
    desk.pace.run_s = 10

    assert converse(provider.cancel(submit(), key=KEY)) is CancelState.UNSUPPORTED


def test_the_address_may_hold_the_path_of_the_api_or_not(emulator, converse):
    whole = OpenRouter(f"{emulator.urls['openrouter']}/api/v1")

    job = converse(whole.submit(CLIP, key=KEY, idem_key="idem"))

    assert converse(whole.poll(job, key=KEY)).state is JobState.DONE
