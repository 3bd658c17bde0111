"""GMI Cloud's adapter against the emulator: what only GMI Cloud does."""

from dataclasses import replace
from decimal import Decimal

import pytest

from providers.adapters.gmi import Gmi
from providers.contract import Generation, Job, JobState
from providers.emulator.gmi import QUEUE
from providers.errors import KeyRefused, Rejected, SubmissionUnknown, Unavailable

STILL = Generation(capability="image.gen", model="seedream-5.0-lite", prompt="A lighthouse")
SPEECH = Generation(capability="audio.tts", model="minimax-tts-speech-2.8-hd", prompt="A lighthouse")
CLIP = Generation(
    capability="video.gen", model="seedance-2-0-260128", prompt="A lighthouse", duration_s=Decimal(5), aspect="16:9"
)
SONG = Generation(capability="audio.music", model="minimax-music-2.5", prompt="A lighthouse")
KEY = "secret"


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


@pytest.fixture
def poll(provider, converse):
    return lambda job: converse(provider.poll(job, key=KEY))


# --- the paid call -------------------------------------------------------------------------------------------------


def test_a_request_that_was_read_and_refused_is_rejected_without_its_words(gmi, submit):
    gmi.plan.add({"on": "submit", "do": "reject"})

    with pytest.raises(Rejected) as caught:
        submit()

    assert caught.value.reason == "PROVIDER_REJECTED"
    assert "lighthouse" not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize("answer", [{"status": "queued"}, {"request_id": 7}, {"data": {}}, {"request_id": ""}])
def test_an_answer_without_a_request_leaves_the_submission_unknown(gmi, submit, answer):
    gmi.plan.add({"on": "submit", "do": "status", "status": 200, "body": answer})

    with pytest.raises(SubmissionUnknown):
        submit()


# --- polling -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrapped", [False, True])
def test_a_request_goes_through_the_queue_to_its_result(gmi, submit, poll, wrapped):
    gmi.clock.freeze()
    gmi.pace.queue_s, gmi.pace.run_s = 2, 3
    if wrapped:
        gmi.plan.add({"on": "submit", "do": "wrap"})

    job = submit(CLIP)
    waiting = poll(job)
    gmi.clock.advance(2)
    running = poll(job)
    gmi.clock.advance(3)
    done = poll(job)

    assert (waiting.state, running.state, done.state) == (JobState.QUEUED, JobState.RUNNING, JobState.DONE)
    assert done.cost is None  # GMI does not say: the quote is what is booked


@pytest.mark.parametrize(("generation", "ending"), [(STILL, "png"), (CLIP, "mp4"), (SPEECH, "wav"), (SONG, "wav")])
def test_each_kind_of_result_is_found_once(submit, poll, generation, ending):
    outputs = poll(submit(generation)).outputs

    assert [output.url.rsplit(".", 1)[1] for output in outputs] == [ending]
    assert not outputs[0].authorized


@pytest.mark.parametrize("generation", [SPEECH, SONG])
def test_a_success_without_its_result_is_asked_about(submit, poll, generation):
    job = submit(generation)

    assert job.snapshot is None
    assert poll(job).state is JobState.DONE


def test_an_answer_that_is_the_finished_record_ends_the_job_at_once(gmi, submit, poll):
    gmi.plan.add({"on": "submit", "do": "at_once"})

    job = submit()

    assert job.snapshot.state is JobState.DONE
    assert job.snapshot == poll(job)


def test_speech_may_take_longer_than_other_answers(provider):
    def longest(generation):
        return next(provider.submit(generation, key=KEY, idem_key="i")).timeout_s

    assert (longest(SPEECH), longest(SONG), longest(STILL), longest(CLIP)) == (240, 240, None, None)
    assert provider.submit_timeout_s == 240


@pytest.mark.parametrize(
    ("kind", "code", "retryable"),
    [("rate_limit", "RATE_LIMITED", True), ("moderation", "CONTENT_REFUSED", False), ("", "PROVIDER_FAILED", True)],
)
@pytest.mark.parametrize("generation", [STILL, SPEECH])
def test_a_record_that_failed_says_why_in_our_words(gmi, submit, poll, generation, kind, code, retryable):
    gmi.plan.add({"on": "submit", "do": "fail", "type": kind})

    job = submit(generation)
    seen = job.snapshot or poll(job)

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, code, retryable)
    assert "lighthouse" not in repr(seen)


def test_a_request_that_was_cancelled_there_is_canceled_here(gmi, submit, poll):
    gmi.plan.add({"on": "submit", "do": "cancelled"})

    seen = poll(submit(CLIP))

    assert (seen.state, seen.error_code) == (JobState.CANCELED, None)


def test_done_without_a_result_is_a_failure(gmi, submit, poll):
    gmi.plan.add({"on": "submit", "do": "no_output"})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, "OUTPUT_MISSING", True)


@pytest.mark.parametrize("fault", ["partial", "bare"])
def test_of_several_results_those_that_have_an_address_are_taken_once(gmi, submit, poll, fault):
    gmi.plan.add({"on": "submit", "do": fault})

    seen = poll(submit())

    assert (seen.state, len(seen.outputs)) == (JobState.DONE, 1)


@pytest.mark.parametrize("word", ["paused", "SUCCEEDED", "", None, 7])
def test_a_word_that_we_do_not_know_means_still_working(gmi, submit, poll, word):
    job = submit()
    gmi.plan.add({"on": "status", "do": "status", "status": 200, "body": {"status": word, "outcome": {}}})

    assert poll(job).state is JobState.RUNNING


def test_a_request_that_the_provider_forgot_is_lost(gmi, submit, poll):
    gmi.clock.freeze()
    gmi.pace.keep_s = 60
    job = submit()
    gmi.clock.advance(61)

    assert (poll(job).state, poll(job).error_code) == (JobState.FAILED, "JOB_LOST")


@pytest.mark.usefixtures("in_a_hurry")
@pytest.mark.parametrize("fault", ["drop", "slow", "garbage", "nginx"])
def test_a_poll_without_a_sensible_answer_is_to_be_repeated(gmi, submit, poll, fault):
    job = submit()
    gmi.plan.add({"on": "status", "do": fault, "delay_s": 3, "times": None})

    with pytest.raises(Unavailable):
        poll(job)


def test_the_seed_that_was_asked_for_is_kept(submit, poll):
    assert poll(submit(replace(CLIP, params={"seed": 11}))).seed == 11


# --- the key -------------------------------------------------------------------------------------------------------


def test_a_refused_key_is_told_apart_from_a_lost_request(provider, submit, converse):
    job = submit()

    with pytest.raises(KeyRefused):
        converse(provider.poll(job, key="invalid"))


def test_a_key_is_tried_for_nothing(gmi, provider, converse):
    assert converse(provider.check_key(key=KEY)) is True
    with pytest.raises(KeyRefused):
        converse(provider.check_key(key="invalid"))
    assert gmi.journal.submissions == []


def test_an_organisation_goes_along_where_there_is_one(provider):
    def headers(key):
        return dict(next(provider.poll(Job(request_id="r", model="Veo3"), key=key)).headers)

    assert headers("k") == {"Authorization": "Bearer k"}
    assert headers("k\n") == {"Authorization": "Bearer k"}
    assert headers("k\norg-1") == {"Authorization": "Bearer k", "X-Organization-ID": "org-1"}


def test_a_request_id_cannot_lead_elsewhere(provider):
    call = next(provider.poll(Job(request_id="../models?x=", model="Veo3"), key=KEY))

    assert call.url == f"{provider.base_url}{QUEUE}/requests/..%2Fmodels%3Fx%3D"
