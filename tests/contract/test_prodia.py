"""Prodia's adapter against the emulator: what only Prodia does."""

from dataclasses import replace
from decimal import Decimal

import pytest

from providers.adapters.prodia import Prodia
from providers.contract import Generation, Job, JobState, Media
from providers.download import Limits, download
from providers.errors import KeyRefused, Rejected, SubmissionUnknown, Unavailable

STILL = Generation(capability="image.gen", model="inference.flux-2.pro.txt2img.v1", prompt="A lighthouse")
SKETCH = replace(STILL, model="inference.flux-fast.schnell.txt2img.v2")  # answered with the result itself
PICTURE = Media(content_type="image/png", read=lambda: b"first picture")
OTHER = Media(content_type="image/jpeg", read=lambda: b"second picture")
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


@pytest.fixture
def poll(provider, converse):
    return lambda job: converse(provider.poll(job, key=KEY))


# --- the paid call -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["drop", "drop_after", "garbage", "nginx", "cut"])
def test_a_submission_whose_result_is_lost_is_unknown_and_sent_once(prodia, submit, fault):
    prodia.plan.add({"on": "submit", "do": fault, "times": None})

    with pytest.raises(SubmissionUnknown):
        submit(SKETCH)

    assert prodia.journal.count("submit") == 1


@pytest.mark.parametrize("fault", ["reject", "no_async"])
def test_a_job_that_was_read_and_refused_is_rejected_without_its_words(prodia, submit, fault):
    prodia.plan.add({"on": "submit", "do": fault})

    with pytest.raises(Rejected) as caught:
        submit()

    assert caught.value.reason == "PROVIDER_REJECTED"
    assert "lighthouse" not in f"{caught.value!r} {caught.value}"


@pytest.mark.parametrize("answer", [{"state": {"current": "processing"}}, {"id": 7}, {"id": ""}])
def test_an_answer_without_a_job_leaves_the_submission_unknown(prodia, submit, answer):
    prodia.plan.add({"on": "submit", "do": "status", "status": 201, "body": answer})

    with pytest.raises(SubmissionUnknown):
        submit()


def test_the_answer_that_is_the_result_may_take_its_time(provider):
    def call(generation):
        return next(provider.submit(generation, key=KEY, idem_key="i"))

    assert (call(SKETCH).timeout_s, call(STILL).timeout_s) == (120, None)
    assert provider.submit_timeout_s == 120
    assert call(SKETCH).most_bytes == 32_000_000


# --- results in the answer -----------------------------------------------------------------------------------------


def test_a_sketch_comes_with_the_answer(prodia, submit, tmp_path, provider):
    job = submit(SKETCH)

    seen = job.snapshot
    assert (seen.state, seen.cost.usd, seen.cost.source, seen.seed) == (
        JobState.DONE,
        Decimal("0.0025"),
        "reported",
        42,
    )
    assert download(seen.outputs[0], tmp_path, provider=provider).content_type == "image/png"
    assert prodia.journal.calls == {"submit 200": 1}


def test_words_beside_the_pictures_are_left_out(prodia, submit):
    prodia.plan.add({"on": "submit", "do": "several"})

    assert [output.content[:4] for output in submit(SKETCH).snapshot.outputs] == [b"\x89PNG"] * 2


@pytest.mark.parametrize(("fault", "code"), [("fail", "PROVIDER_FAILED"), ("no_output", "OUTPUT_MISSING")])
def test_an_answer_without_a_result_is_a_failure(prodia, submit, fault, code):
    prodia.plan.add({"on": "submit", "do": fault})

    seen = submit(SKETCH).snapshot

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, code, True)
    assert "lighthouse" not in repr(seen)


def test_a_sketch_cannot_be_asked_about_again(submit, poll):
    job = submit(SKETCH)

    assert poll(replace(job, snapshot=None)).error_code == "JOB_LOST"


# --- polling -------------------------------------------------------------------------------------------------------


def test_a_job_is_made_in_the_background(prodia, submit, poll):
    prodia.clock.freeze()
    prodia.pace.run_s = 3

    job = submit(CLIP)
    running = poll(job)
    prodia.clock.advance(3)
    done = poll(job)

    assert (job.snapshot, running.state) == (None, JobState.RUNNING)
    assert (done.state, done.cost.usd, done.cost.source) == (JobState.DONE, Decimal("0.25"), "reported")


@pytest.mark.parametrize(("generation", "content_type"), [(EDIT, "image/png"), (CLIP, "video/mp4")])
def test_a_result_is_fetched_with_the_key(emulator, provider, submit, poll, tmp_path, generation, content_type):
    (output,) = poll(submit(generation)).outputs

    got = download(output, tmp_path, provider=provider, key=KEY, limits=Limits(allow_loopback=True))

    assert output.authorized
    assert output.url.startswith(f"{emulator.urls['prodia']}/v2/job/async/")
    assert got.content_type == content_type


@pytest.mark.parametrize(("fault", "count"), [("several", 2), ("objects", 1)])
def test_of_the_files_those_that_are_media_are_taken(prodia, submit, poll, fault, count):
    prodia.plan.add({"on": "submit", "do": fault})

    assert len(poll(submit()).outputs) == count


@pytest.mark.parametrize(
    ("address", "authorized"),
    [("https://evil.example/a.png", False), ("http://127.0.0.1:9/a.png", False), ("{own}/a.png", True)],
)
def test_the_key_goes_along_to_the_provider_s_own_origin_only(emulator, prodia, submit, poll, address, authorized):
    address = address.replace("{own}", emulator.urls["prodia"])
    prodia.plan.add({"on": "submit", "do": "elsewhere", "type": address})

    (output,) = poll(submit()).outputs

    assert (output.url, output.authorized) == (address, authorized)


@pytest.mark.parametrize("name", ["../../secret", "a/b.png", "?x=1.png"])
def test_a_file_s_name_cannot_lead_elsewhere(emulator, prodia, submit, poll, name):
    prodia.plan.add({"on": "submit", "do": "elsewhere", "type": name})
    job = submit()

    (output,) = poll(job).outputs

    inside = f"{emulator.urls['prodia']}/v2/job/async/{job.request_id}/output/"
    assert output.url.startswith(inside)
    assert "/" not in output.url.removeprefix(inside)
    assert "?" not in output.url


def test_a_job_that_failed_says_so(prodia, submit, poll):
    prodia.plan.add({"on": "submit", "do": "fail"})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, "PROVIDER_FAILED", True)


def test_done_without_a_result_is_a_failure_that_was_paid_for(prodia, submit, poll):
    prodia.plan.add({"on": "submit", "do": "no_output"})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.cost.usd) == (JobState.FAILED, "OUTPUT_MISSING", Decimal("0.0025"))


def test_a_job_without_a_price_leaves_the_cost_to_the_quote(prodia, submit, poll):
    prodia.plan.add({"on": "submit", "do": "no_price"})

    seen = poll(submit())

    assert (seen.state, seen.cost) == (JobState.DONE, None)


@pytest.mark.parametrize("word", ["queued", "aborted", "Waiting"])
def test_a_word_that_we_do_not_know_means_still_working(prodia, submit, poll, word):
    job = submit()
    prodia.plan.add({"on": "status", "do": "status", "status": 200, "body": word})

    assert poll(job).state is JobState.RUNNING


def test_a_job_that_the_provider_forgot_is_lost(prodia, submit, poll):
    prodia.clock.freeze()
    prodia.pace.keep_s = 300
    job = submit()
    prodia.clock.advance(301)

    assert (poll(job).state, poll(job).error_code) == (JobState.FAILED, "JOB_LOST")


@pytest.mark.parametrize("on", ["job", "result"])
def test_a_result_that_is_gone_has_expired(prodia, submit, poll, on):
    job = submit()
    prodia.plan.add({"on": on, "do": "gone"})

    assert poll(job).error_code == "OUTPUT_EXPIRED"


@pytest.mark.parametrize("on", ["status", "job", "result"])
@pytest.mark.parametrize("fault", ["drop", "garbage", "nginx"])
def test_trouble_on_the_way_says_nothing_about_the_job(prodia, submit, poll, on, fault):
    job = submit()
    prodia.plan.add({"on": on, "do": fault, "times": None})

    with pytest.raises(Unavailable):
        poll(job)


def test_a_refused_key_is_told_apart_from_a_lost_job(provider, submit, converse):
    job = submit()

    with pytest.raises(KeyRefused):
        converse(provider.poll(job, key="invalid"))


def test_a_key_that_is_not_refused_is_not_proved_good(prodia, provider, converse):
    assert converse(provider.check_key(key=KEY)) is False

    prodia.plan.add({"on": "*", "do": "status", "status": 400})
    assert converse(provider.check_key(key=KEY)) is False


def test_a_job_s_id_cannot_lead_elsewhere(provider):
    call = next(provider.poll(Job(request_id="../x?a=", model=STILL.model), key=KEY))

    assert call.url == f"{provider.base_url}/v2/job/async/..%2Fx%3Fa%3D/job.state.current"
