"""Runware's adapter against the emulator: what only Runware does."""

import json
from decimal import Decimal
from uuid import UUID

import pytest

from providers.adapters.runware import Runware
from providers.contract import CancelState, Generation, Job, JobState, Media
from providers.download import Limits, download
from providers.errors import KeyRefused, NeverTaken, NotSent, Rejected, SubmissionUnknown, Unavailable
from tests.unit.providers.conftest import Loopback

STILL = Generation(capability="image.gen", model="runware:101@1", prompt="A lighthouse", aspect="16:9")
PICTURE = Media(content_type="image/png", url="https://example.com/a.png")
CLIP = Media(content_type="video/mp4", url="https://example.com/a.mp4")
KEY = "rw-secret"
TASK_ID = "b43aae10-2b19-4a96-b0ee-f83f7a7a8004"  # of the key "idem"


@pytest.fixture
def runware(emulator):
    """Runware's desk: its fault plan, clock, pace and journal."""
    return emulator.desks["runware"]


@pytest.fixture
def provider(emulator) -> Runware:
    return Runware(emulator.urls["runware"])


@pytest.fixture
def submit(provider, converse):
    def submit(generation: Generation = STILL, idem_key: str = "idem", **more) -> Job:
        return converse(provider.submit(generation, key=KEY, idem_key=idem_key, **more))

    return submit


@pytest.fixture
def poll(provider, converse):
    return lambda job: converse(provider.poll(job, key=KEY))


@pytest.fixture
def recover(provider, converse):
    return lambda idem_key="idem": converse(provider.recover(idem_key=idem_key, key=KEY))


def sent(runware) -> list[dict]:
    (task,) = json.loads(runware.journal.submissions[-1].body)
    return task


# --- the paid call -------------------------------------------------------------------------------------------------


def test_a_task_has_an_id_of_version_four_that_follows_from_the_attempt(runware, submit):
    job = submit()

    assert job.request_id == TASK_ID
    assert UUID(job.request_id).version == 4
    assert submit(idem_key="another").request_id != TASK_ID
    assert runware.journal.accepted()[0].idem == "b43aae102b191a96b0eef83f7a7a8004ecd2ea986f64726e2541f3d608a9d593"


def test_what_is_sent_is_a_list_of_one_task_that_asks_for_its_cost(runware, submit):
    submit()

    assert json.loads(runware.journal.submissions[0].body) == [
        {
            "taskUUID": TASK_ID,
            "model": "runware:101@1",
            "taskType": "imageInference",
            "outputFormat": "PNG",
            "steps": 28,
            "width": 1344,
            "height": 768,
            "positivePrompt": "A lighthouse",
            "deliveryMethod": "async",
            "outputType": "URL",
            "includeCost": True,
        }
    ]


def test_an_address_to_call_back_goes_along_where_there_is_one(runware, submit):
    submit(callback_url="https://zaps.example/hook")

    assert sent(runware)["webhookURL"] == "https://zaps.example/hook"


@pytest.mark.parametrize("answer", [{"data": []}, {"data": [{"taskUUID": "another"}]}, {"data": 7}, {"errors": []}])
def test_an_answer_that_names_another_task_or_none_leaves_the_submission_unknown(runware, submit, answer):
    runware.plan.add({"on": "submit", "do": "status", "status": 200, "body": answer})

    with pytest.raises(SubmissionUnknown):
        submit()


@pytest.mark.parametrize("status", [200, 400, 403, 500])
@pytest.mark.parametrize(
    ("kind", "error", "code"),
    [
        ("invalidApiKey", KeyRefused, "KEY_INVALID"),
        ("missingApiKey", KeyRefused, "KEY_INVALID"),
        ("insufficientCredits", KeyRefused, "INSUFFICIENT_CREDITS"),
        ("providerRateLimitExceeded", Unavailable, "RATE_LIMITED"),
        ("tooManyRequests", Unavailable, "RATE_LIMITED"),
        ("invalidProviderContent", Rejected, "CONTENT_REFUSED"),
        ("failedToTransferImage", Rejected, "INPUT_UNREACHABLE"),
        ("invalidPositivePrompt", Rejected, "PROVIDER_REJECTED"),
        ("unsupportedParameter", Rejected, "PROVIDER_REJECTED"),
    ],
)
def test_an_error_about_the_task_proves_that_there_is_no_job(runware, submit, status, kind, error, code):
    runware.plan.add({"on": "submit", "do": "reject", "type": kind, "status": status})

    with pytest.raises(error) as caught:
        submit()

    assert caught.value.reason == code
    assert "lighthouse" not in f"{caught.value!r} {caught.value}"
    assert runware.journal.accepted() == []


def test_an_error_that_we_do_not_know_leaves_the_submission_unknown(runware, submit):
    runware.plan.add({"on": "submit", "do": "reject", "type": "somethingNew", "status": 200})

    with pytest.raises(SubmissionUnknown):
        submit()


# --- finding a lost submission again ---------------------------------------------------------------------------------


def test_a_submission_whose_answer_was_lost_is_found_and_delivers(runware, submit, recover, poll):
    runware.plan.add({"on": "submit", "do": "drop_after"})
    with pytest.raises(SubmissionUnknown):
        submit()

    job = recover()

    assert job.request_id == TASK_ID
    assert poll(job).state is JobState.DONE
    assert len(runware.journal.accepted()) == 1


def test_a_submission_that_never_arrived_is_not_known_there(runware, submit, recover):
    runware.plan.add({"on": "submit", "do": "drop"})
    with pytest.raises(SubmissionUnknown):
        submit()

    with pytest.raises(NeverTaken):
        recover()


def test_a_lost_submission_that_failed_meanwhile_is_found_as_well(runware, submit, recover, poll):
    runware.plan.add({"on": "submit", "do": "model_error"})
    submit()

    assert poll(recover()).error_code == "PROVIDER_FAILED"


def test_nobody_can_find_anything_while_the_provider_is_down(runware, recover):
    runware.plan.add({"on": "status", "do": "nginx"})

    with pytest.raises(Unavailable):
        recover()


def test_an_id_that_is_taken_was_taken_by_us(runware, submit, poll):
    submit()

    job = submit()

    assert poll(job).state is JobState.DONE
    assert len(runware.journal.accepted()) == 1


# --- field maps ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("capability", "model", "fields", "expected"),
    [
        (
            "image.gen",
            "runware:100@1",
            {"params": {"seed": 4, "mock": {}}},
            {"taskType": "imageInference", "steps": 4, "width": 1024, "height": 1024, "seed": 4},
        ),
        (
            "image.edit",
            "runware:106@1",
            {"images": (PICTURE,), "aspect": "9:16"},
            {"referenceImages": ["https://example.com/a.png"], "width": 752, "height": 1392, "positivePrompt": "p"},
        ),
        (
            "image.upscale",
            "runware:500@1",
            {"prompt": "", "images": (PICTURE,), "params": {"scale": "4x"}},
            {"taskType": "upscale", "upscaleFactor": 4, "inputs": {"image": "https://example.com/a.png"}},
        ),
        (
            "video.gen",
            "klingai:5@2",
            {"images": (PICTURE,), "duration_s": Decimal(5), "aspect": "16:9"},
            {"duration": 5, "frameImages": [{"inputImage": "https://example.com/a.png", "frame": "first"}]},
        ),
        (
            "video.extend",
            "klingai:5@1",
            {"first_frame": PICTURE, "duration_s": Decimal(10)},
            {"duration": 10, "frameImages": [{"inputImage": "https://example.com/a.png", "frame": "first"}]},
        ),
        (
            "video.gen",
            "klingai:5@3",
            {"duration_s": Decimal(5), "aspect": "9:16"},
            {"taskType": "videoInference", "outputFormat": "MP4", "width": 1080, "height": 1920},
        ),
        (
            "video.upscale",
            "bytedance:50@1",
            {"prompt": "", "videos": (CLIP,), "duration_s": Decimal(5)},
            {"taskType": "upscale", "inputs": {"video": "https://example.com/a.mp4"}},
        ),
        (
            "audio.music",
            "elevenlabs:1@1",
            {"duration_s": Decimal("12.5")},
            {"taskType": "audioInference", "duration": 12.5, "positivePrompt": "p"},
        ),
        (
            "audio.tts",
            "elevenlabs:25@1",
            {"params": {"speech.voice": "Aria"}},
            {"taskType": "audioInference", "speech": {"text": "p", "voice": "Aria"}},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_model_is_asked_in_its_own_words_and_delivers(runware, submit, poll, capability, model, fields, expected):
    seen = poll(submit(Generation(capability=capability, model=model, **{"prompt": "p", **fields})))

    task = sent(runware)
    assert {name: task.get(name) for name in expected} == expected
    assert "scale" not in task
    assert "mock" not in task
    assert (seen.state, len(seen.outputs), seen.cost.source) == (JobState.DONE, 1, "reported")


def test_a_small_picture_travels_inside_the_request(runware, submit):
    picture = Media(content_type="image/png", read=lambda: b"\x89PNG")

    submit(Generation(capability="image.edit", model="runware:106@1", prompt="p", images=(picture,)))

    assert sent(runware)["referenceImages"] == ["data:image/png;base64,iVBORw=="]
    assert runware.journal.count("upload") == 0


@pytest.mark.parametrize(
    ("content_type", "capability", "model"),
    [("image/png", "image.upscale", "runware:500@1"), ("video/mp4", "video.upscale", "bytedance:50@1")],
)
def test_a_large_file_is_uploaded_first_and_named_by_its_id(runware, submit, content_type, capability, model):
    file = Media(content_type=content_type, read=lambda: b"x" * 300_000)
    given = {"images": (file,)} if capability == "image.upscale" else {"videos": (file,)}

    submit(Generation(capability=capability, model=model, **given))

    (address,) = sent(runware)["inputs"].values()
    assert UUID(address).version == 4
    assert runware.journal.calls["upload 200"] == 1


@pytest.mark.parametrize("fault", ["drop", "nginx", "garbage"])
def test_an_upload_that_fails_means_that_nothing_was_sent(runware, submit, fault):
    runware.plan.add({"on": "upload", "do": fault, "times": None})
    picture = Media(content_type="image/png", read=lambda: b"x" * 300_000)

    with pytest.raises(NotSent):
        submit(Generation(capability="image.edit", model="runware:106@1", prompt="p", images=(picture,)))

    assert runware.journal.count("submit") == 0


def test_a_file_that_is_too_large_is_refused_before_anything_is_sent(runware, submit):
    picture = Media(content_type="image/png", read=lambda: bytes(50_000_001))

    with pytest.raises(Rejected):
        submit(Generation(capability="image.edit", model="runware:106@1", prompt="p", images=(picture,)))

    assert runware.journal.calls == {}


# --- polling -------------------------------------------------------------------------------------------------------


def test_a_job_goes_through_the_queue_to_its_result(runware, submit, poll):
    runware.clock.freeze()
    runware.pace.queue_s, runware.pace.run_s = 2, 3

    job = submit()
    waiting = poll(job)
    runware.clock.advance(2)
    running = poll(job)
    runware.clock.advance(3)
    done = poll(job)

    assert job.snapshot is None
    assert (waiting.state, running.state, done.state) == (JobState.QUEUED, JobState.RUNNING, JobState.DONE)
    assert (done.cost.usd, done.cost.source) == (Decimal("0.0038"), "reported")
    assert done.seed == int("b43aae10", 16)


def test_a_result_can_be_fetched_from_where_it_is_said_to_lie(provider, submit, poll, tmp_path):
    (output,) = poll(submit()).outputs

    found = download(output, tmp_path, provider=provider, key=KEY, limits=Limits(allow_loopback=True))

    assert (found.kind, found.content_type) == ("png", "image/png")


def test_a_task_that_was_answered_at_once_is_over_with_its_submission(runware, submit):
    runware.plan.add({"on": "submit", "do": "at_once"})

    job = submit()

    assert job.snapshot.state is JobState.DONE
    assert len(job.snapshot.outputs) == 1
    assert job.snapshot.cost.usd == Decimal("0.0038")


def test_a_result_may_come_as_bytes(runware, submit, poll, tmp_path, provider):
    runware.plan.add({"on": "submit", "do": "bytes"})

    (output,) = poll(submit()).outputs

    assert output.url is None
    assert download(output, tmp_path, provider=provider).kind == "png"


def test_a_part_of_the_results_is_not_the_end(runware, submit, poll):
    runware.clock.freeze()
    runware.pace.run_s = 5
    runware.plan.add({"on": "submit", "do": "partial"})

    job = submit()
    part = poll(job)
    runware.clock.advance(5)
    whole = poll(job)

    assert (part.state, part.outputs) == (JobState.RUNNING, ())
    assert (whole.state, len(whole.outputs), whole.cost.usd) == (JobState.DONE, 2, Decimal("0.0076"))


def test_results_beside_an_error_are_kept(runware, submit, poll):
    runware.plan.add({"on": "submit", "do": "half"})

    seen = poll(submit())

    assert (seen.state, len(seen.outputs), seen.error_code) == (JobState.DONE, 1, None)


def test_a_result_without_a_cost_is_left_to_the_quote(runware, submit, poll):
    runware.plan.add({"on": "submit", "do": "no_cost"})

    seen = poll(submit())

    assert (seen.state, seen.cost) == (JobState.DONE, None)


def test_done_without_a_result_is_a_failure(runware, submit, poll):
    runware.plan.add({"on": "submit", "do": "no_output"})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, "OUTPUT_MISSING", True)


@pytest.mark.parametrize("word", ["paused", "", "Moderating"])
def test_a_word_that_we_do_not_know_means_still_working(runware, submit, poll, word):
    runware.plan.add({"on": "submit", "do": "odd", "type": word})

    assert poll(submit()).state is JobState.RUNNING


@pytest.mark.parametrize(
    ("kind", "code", "retryable"),
    [
        ("timeoutProvider", "PROVIDER_FAILED", True),
        ("providerRateLimitExceeded", "RATE_LIMITED", True),
        ("invalidProviderContent", "CONTENT_REFUSED", False),
        ("failedToTransferImage", "INPUT_UNREACHABLE", False),
        ("invalidModel", "PROVIDER_REJECTED", False),
        ("somethingNew", "PROVIDER_FAILED", True),
    ],
)
def test_a_job_that_failed_says_why_in_our_words(runware, submit, poll, kind, code, retryable):
    runware.plan.add({"on": "submit", "do": "model_error", "type": kind})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, code, retryable)
    assert "lighthouse" not in repr(seen)


def test_a_job_that_the_provider_forgot_is_lost(runware, submit, poll):
    runware.plan.add({"on": "submit", "do": "forget"})

    seen = poll(submit())

    assert (seen.state, seen.error_code) == (JobState.FAILED, "JOB_LOST")


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_trouble_on_the_way_says_nothing_about_the_job(runware, submit, poll, status):
    job = submit()
    body = {"errors": [{"code": "timeoutProvider", "taskUUID": job.request_id}]}
    runware.plan.add({"on": "status", "do": "status", "status": status, "body": body, "times": None})

    with pytest.raises(Unavailable):
        poll(job)


@pytest.mark.parametrize("status", [200, 400])
def test_an_error_that_names_no_task_says_nothing_about_the_job(runware, submit, poll, status):
    job = submit()
    body = {"errors": [{"code": "internalError", "message": "Oops."}]}
    runware.plan.add({"on": "status", "do": "status", "status": status, "body": body})

    with pytest.raises(Unavailable):
        poll(job)


@pytest.mark.usefixtures("in_a_hurry")
@pytest.mark.parametrize("fault", ["drop", "slow", "garbage", "nginx"])
def test_a_poll_without_a_sensible_answer_is_to_be_repeated(runware, submit, poll, fault):
    job = submit()
    runware.plan.add({"on": "status", "do": fault, "delay_s": 3, "times": None})

    with pytest.raises(Unavailable):
        poll(job)


def test_nothing_to_tell_means_still_working(runware, submit, poll):
    job = submit()
    runware.plan.add({"on": "status", "do": "status", "status": 200, "body": {"data": []}})

    assert poll(job).state is JobState.RUNNING


def test_a_refused_key_is_told_apart_from_a_lost_job(provider, submit, converse):
    job = submit()

    with pytest.raises(KeyRefused):
        converse(provider.poll(job, key="invalid"))


@pytest.mark.parametrize(
    ("kind", "code"), [("invalidApiKey", "KEY_INVALID"), ("insufficientCredits", "INSUFFICIENT_CREDITS")]
)
@pytest.mark.parametrize("on", ["status", "upload", "account"])
def test_trouble_with_the_account_is_told_whatever_the_status(runware, provider, submit, converse, on, kind, code):
    runware.plan.add({"on": on, "do": "status", "status": 200, "body": {"errors": [{"code": kind}]}})
    picture = Media(content_type="image/png", read=lambda: b"x" * 300_000)
    talks = {
        "status": lambda: provider.poll(Job(request_id=TASK_ID, model="runware:101@1"), key=KEY),
        "account": lambda: provider.check_key(key=KEY),
        "upload": lambda: provider.submit(
            Generation(capability="image.edit", model="runware:106@1", prompt="p", images=(picture,)),
            key=KEY,
            idem_key="idem",
        ),
    }

    with pytest.raises(KeyRefused) as caught:
        converse(talks[on]())

    assert caught.value.reason == code
    assert runware.journal.submissions == []


# --- the rest ------------------------------------------------------------------------------------------------------


def test_runware_knows_no_way_to_stop_a_job(runware, provider, submit, converse):
    assert converse(provider.cancel(submit(), key=KEY)) is CancelState.UNSUPPORTED
    assert not provider.supports_cancel


def test_a_key_is_tried_without_buying_anything(runware, provider, converse):
    assert converse(provider.check_key(key=KEY)) is True
    with pytest.raises(KeyRefused):
        converse(provider.check_key(key="invalid"))

    assert runware.journal.submissions == []


def test_the_key_goes_to_runware_alone(converse):
    with Loopback(lambda request: pytest.fail("asked")) as stranger:
        provider = Runware("https://api.example.com")
        job = Job(request_id=TASK_ID, model="runware:101@1", urls={"status_url": stranger.url})
        call = next(provider.poll(job, key=KEY))

    assert call.url == "https://api.example.com/v1"
    assert stranger.requests == []
    assert KEY not in repr(call)
