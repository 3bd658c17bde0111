"""ComfyUI's adapter against the emulator: what only ComfyUI does."""

import json
from dataclasses import replace
from decimal import Decimal
from uuid import UUID

import pytest

from providers.adapters.comfyui import ComfyUI
from providers.contract import CancelState, Generation, Job, JobState, Media, Reply
from providers.download import Limits, download
from providers.errors import KeyRefused, NeverTaken, NotSent, Rejected, SubmissionUnknown, Unavailable
from providers.multipart import read

GRAPH = {
    "3": {"class_type": "KSampler", "inputs": {"seed": 1, "steps": 20, "positive": ["6", 0], "latent_image": ["5", 0]}},
    "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512}},
    "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "%prompt% {PROMPT}"}},
    "9": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
}
SLOTS = {"prompt": ["6", "text"], "seed": ["3", "seed"], "width": ["5", "width"], "height": ["5", "height"]}
CLIP_GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "example.png"}},
    "2": {
        "class_type": "WanImageToVideo",
        "inputs": {"length": 33, "start_image": ["1", 0], "positive": "a", "seed": 1},
    },
    "3": {"class_type": "SaveVideo", "inputs": {"video": ["2", 0]}},
}
CLIP_SLOTS = {"image": ["1", "image"], "prompt": ["2", "positive"], "frames": ["2", "length"], "seed": ["2", "seed"]}
STILL = Generation(
    capability="image.gen", model="recipe", prompt="A lighthouse", params={"workflow": GRAPH, "slots": SLOTS}
)
CLIP = Generation(
    capability="video.gen",
    model="recipe",
    prompt="It turns",
    images=(Media(content_type="image/png", read=lambda: b"\x89PNG"),),
    duration_s=Decimal(5),
    params={"workflow": CLIP_GRAPH, "slots": CLIP_SLOTS, "fps": 16},
)
KEY = "cf-secret"
PROMPT_ID = "b43aae10-2b19-4a96-b0ee-f83f7a7a8004"  # of the key "idem"


@pytest.fixture
def comfy(emulator):
    """ComfyUI's desk: its fault plan, clock, pace and journal."""
    return emulator.desks["comfyui"]


@pytest.fixture
def provider(emulator) -> ComfyUI:
    return ComfyUI(emulator.urls["comfyui"], None, "1", "0.0004")


@pytest.fixture
def submit(provider, converse):
    def submit(generation: Generation = STILL, idem_key: str = "idem") -> Job:
        return converse(provider.submit(generation, key=KEY, idem_key=idem_key))

    return submit


@pytest.fixture
def poll(provider, converse):
    return lambda job: converse(provider.poll(job, key=KEY))


@pytest.fixture
def cancel(provider, converse):
    return lambda job: converse(provider.cancel(job, key=KEY))


@pytest.fixture
def recover(provider, converse):
    return lambda: converse(provider.recover(idem_key="idem", key=KEY))


def sent(comfy) -> dict:
    return json.loads(comfy.journal.submissions[-1].body)


# --- the graph -----------------------------------------------------------------------------------------------------


def test_values_go_into_the_declared_inputs_and_nothing_else_is_touched(comfy, submit):
    submit(replace(STILL, prompt='A "kite", {X} %prompt%\n', aspect="16:9", params={**STILL.params, "seed": 7}))

    body = sent(comfy)
    assert body["prompt"] == {
        **GRAPH,
        "3": {**GRAPH["3"], "inputs": {**GRAPH["3"]["inputs"], "seed": 7}},
        "5": {**GRAPH["5"], "inputs": {"width": 1344, "height": 768}},
        "6": {**GRAPH["6"], "inputs": {"text": 'A "kite", {X} %prompt%\n'}},
    }
    assert GRAPH["3"]["inputs"]["seed"] == 1
    assert set(body) == {"prompt", "prompt_id", "extra_data"}


def test_a_job_has_an_id_that_follows_from_the_attempt(comfy, submit):
    job = submit()

    assert job.request_id == PROMPT_ID
    assert UUID(job.request_id).version == 4


def test_each_attempt_has_a_seed_of_its_own_and_tells_it(comfy, submit, poll):
    seeds = [poll(submit(idem_key=key)).seed for key in ("idem", "another")]

    assert seeds == [int("b43aae102b19", 16), sent(comfy)["prompt"]["3"]["inputs"]["seed"]]
    assert seeds[0] != seeds[1]


def test_a_picture_is_uploaded_by_its_content_s_name_and_a_duration_becomes_frames(comfy, submit, poll):
    job = submit(CLIP)

    inputs = {node: about["inputs"] for node, about in sent(comfy)["prompt"].items()}
    assert inputs["1"] == {"image": "zaps-0f4636c78f65d3639ece5a064b5ae753.png"}
    assert inputs["2"]["length"] == 81
    assert comfy.journal.calls["upload 200"] == 1
    assert poll(job).state is JobState.DONE


def test_an_upload_is_a_form_that_comfyui_reads(provider):
    call = next(provider.submit(CLIP, key="", idem_key="idem"))

    form = read(call.headers["Content-Type"], call.body)
    assert (form["image"].content, form["image"].content_type) == (b"\x89PNG", "image/png")
    assert form["overwrite"].content == b"true"
    assert "Authorization" not in call.headers


@pytest.mark.parametrize("fault", ["drop", "nginx", "garbage"])
def test_an_upload_that_fails_means_that_nothing_was_sent(comfy, submit, fault):
    comfy.plan.add({"on": "upload", "do": fault, "times": None})

    with pytest.raises(NotSent):
        submit(CLIP)

    assert comfy.journal.count("submit") == 0


def test_a_graph_that_does_not_pass_is_rejected(comfy, submit):
    comfy.plan.add({"on": "submit", "do": "refused"})

    with pytest.raises(Rejected) as caught:
        submit()

    assert caught.value.reason == "PROVIDER_REJECTED"
    assert "lighthouse" not in f"{caught.value!r} {caught.value}"
    assert comfy.journal.accepted() == []


@pytest.mark.parametrize("answer", [{}, {"prompt_id": None}, {"prompt_id": "../x"}, {"prompt_id": ""}])
def test_an_answer_without_a_sensible_id_leaves_the_submission_unknown(comfy, submit, answer):
    comfy.plan.add({"on": "submit", "do": "status", "status": 200, "body": answer or {"number": 1}})

    with pytest.raises(SubmissionUnknown):
        submit()


# --- polling -------------------------------------------------------------------------------------------------------


def test_a_job_goes_through_the_queue_to_its_result(comfy, submit, poll):
    comfy.clock.freeze()
    comfy.pace.queue_s, comfy.pace.run_s = 2, 3

    before, job = submit(idem_key="another"), submit()
    waiting, first = poll(job), poll(before)
    comfy.clock.advance(2)
    running = poll(job)
    comfy.clock.advance(3)
    done = poll(job)

    assert (first.state, first.queue_position) == (JobState.QUEUED, 0)
    assert (waiting.state, waiting.queue_position) == (JobState.QUEUED, 1)
    assert (running.state, running.queue_position) == (JobState.RUNNING, None)
    assert (done.state, done.cost.usd, done.cost.source) == (JobState.DONE, Decimal("0.0012"), "derived")


def test_a_job_that_ends_between_two_looks_is_not_lost(comfy, provider, submit):
    job = submit()
    talk = provider.poll(job, key=KEY)
    asked = [next(talk).url]
    nothing, queue = b"{}", b'{"queue_running": [], "queue_pending": []}'
    history = json.dumps({job.request_id: {"outputs": {"9": {"images": [{"filename": "a.png", "type": "output"}]}}}})

    for body in (nothing, queue):
        asked.append(talk.send(_answered(body)).url)
    with pytest.raises(StopIteration) as stop:
        talk.send(_answered(history.encode()))

    assert [url.rpartition("/")[2] for url in asked] == [job.request_id, "queue", job.request_id]
    assert stop.value.value.state is JobState.DONE


def test_a_job_that_a_restart_forgot_is_lost(comfy, submit, poll):
    comfy.clock.freeze()
    comfy.pace.run_s = 5
    job = submit()
    comfy.plan.add({"on": "history", "do": "restart"})

    seen = poll(job)

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, "JOB_LOST", True)


@pytest.mark.parametrize(("graph", "kind"), [("SaveImage", "png"), ("SaveVideo", "mp4"), ("VHS_VideoCombine", "mp4")])
def test_results_are_found_wherever_nodes_put_them_and_can_be_fetched(provider, submit, poll, tmp_path, graph, kind):
    changed = {**GRAPH, "9": {"class_type": graph, "inputs": {"images": ["3", 0]}}}

    (output,) = poll(submit(replace(STILL, params={"workflow": changed, "slots": SLOTS}))).outputs

    assert output.authorized
    assert download(output, tmp_path, provider=provider, key=KEY, limits=Limits(allow_loopback=True)).kind == kind


def test_a_preview_is_no_result(submit, poll):
    graph = {**GRAPH, "8": {"class_type": "PreviewImage", "inputs": {"images": ["3", 0]}}}

    assert len(poll(submit(replace(STILL, params={"workflow": graph, "slots": SLOTS}))).outputs) == 1


def test_done_from_a_cache_without_a_result_is_a_failure(comfy, submit, poll):
    comfy.plan.add({"on": "submit", "do": "cached"})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, "OUTPUT_MISSING", True)


@pytest.mark.parametrize(
    ("rule", "retryable"), [({"do": "oom"}, True), ({"do": "node_error", "type": "ValueError"}, False)]
)
def test_a_node_s_error_is_a_failure_that_passes_only_where_memory_was_short(comfy, submit, poll, rule, retryable):
    comfy.pace.run_s = 0
    comfy.plan.add({"on": "submit", **rule})

    seen = poll(submit())

    assert (seen.state, seen.error_code, seen.retryable) == (JobState.FAILED, "PROVIDER_FAILED", retryable)
    assert "lighthouse" not in repr(seen)


def test_a_word_that_we_do_not_know_means_still_working(comfy, submit, poll):
    comfy.plan.add({"on": "submit", "do": "odd", "type": "paused"})

    assert poll(submit()).state is JobState.RUNNING


@pytest.mark.parametrize("on", ["history", "queue"])
@pytest.mark.parametrize("fault", [{"do": "nginx"}, {"do": "garbage"}, {"do": "drop"}, {"do": "status", "status": 404}])
def test_trouble_on_the_way_says_nothing_about_the_job(comfy, submit, poll, on, fault):
    comfy.clock.freeze()
    comfy.pace.run_s = 5
    job = submit()
    comfy.plan.add({"on": on, "times": None, **fault})

    with pytest.raises(Unavailable):
        poll(job)


def test_a_refused_key_is_told_apart_from_a_lost_job(provider, submit, converse):
    job = submit()

    with pytest.raises(KeyRefused):
        converse(provider.poll(job, key="invalid"))


# --- an older server -----------------------------------------------------------------------------------------------


@pytest.fixture
def old(comfy):
    comfy.plan.add({"on": "*", "do": "old", "times": None})
    comfy.clock.freeze()
    return comfy


def test_an_older_server_s_own_id_and_its_bare_history_are_understood(old, submit, poll):
    job = submit()

    seen = poll(job)

    assert job.request_id != PROMPT_ID
    assert (seen.state, seen.seed, seen.cost.usd) == (JobState.DONE, int("b43aae102b19", 16), 0)


@pytest.mark.parametrize(("queue_s", "run_s"), [(5, 5), (0, 5), (0, 0)])
def test_a_lost_submission_is_found_there_by_what_we_wrote_beside_it(old, submit, recover, queue_s, run_s):
    old.pace.queue_s, old.pace.run_s = queue_s, run_s
    job = submit()
    submit(idem_key="another")

    assert recover().request_id == job.request_id


@pytest.mark.parametrize(("server", "told"), [("old", None), ("comfy", NeverTaken)])
def test_a_long_history_hides_a_job_only_where_the_server_chooses_its_id(
    server, told, request, monkeypatch, submit, recover
):
    monkeypatch.setattr("providers.adapters.comfyui._LATEST", 2)
    request.getfixturevalue(server)
    submit(idem_key="another")
    submit(idem_key="a third")

    if told is None:
        assert recover() is None
    else:
        with pytest.raises(told):
            recover()


def test_a_running_job_is_interrupted_there(old, submit, poll, cancel):
    old.pace.run_s = 5
    job = submit()

    assert cancel(job) is CancelState.REQUESTED
    assert old.journal.calls == {"submit 200": 1, "queue 200": 1, "cancel 404": 1, "cancel 200": 1}


# --- finding a lost submission again ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("queue_s", "run_s"), [(5, 5), (0, 5), (0, 0)])
def test_a_submission_whose_answer_was_lost_is_found(comfy, submit, recover, queue_s, run_s):
    comfy.clock.freeze()
    comfy.pace.queue_s, comfy.pace.run_s = queue_s, run_s
    comfy.plan.add({"on": "submit", "do": "drop_after"})
    with pytest.raises(SubmissionUnknown):
        submit()

    assert recover().request_id == PROMPT_ID
    assert len(comfy.journal.accepted()) == 1


def test_a_submission_that_never_arrived_is_not_known_there(comfy, submit, recover):
    comfy.plan.add({"on": "submit", "do": "drop"})
    with pytest.raises(SubmissionUnknown):
        submit()

    with pytest.raises(NeverTaken):
        recover()


# --- cancelling ----------------------------------------------------------------------------------------------------


def test_a_job_that_waits_is_taken_out_of_the_queue(comfy, submit, cancel):
    comfy.clock.freeze()
    comfy.pace.queue_s = 5

    assert cancel(submit()) is CancelState.CANCELED


def test_a_job_that_runs_is_interrupted(comfy, submit, poll, cancel):
    comfy.clock.freeze()
    comfy.pace.run_s = 5
    job, other = submit(), submit(idem_key="another")

    assert cancel(job) is CancelState.REQUESTED
    assert poll(job).state is JobState.CANCELED
    assert poll(other).state is JobState.RUNNING


def test_a_job_that_never_was_cannot_be_canceled(cancel):
    assert cancel(Job(request_id="nothing", model="recipe")) is CancelState.NOT_FOUND


def test_a_job_that_is_over_cannot_be_canceled(submit, cancel):
    assert cancel(submit()) is CancelState.ALREADY_TERMINAL


# --- keys ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "header"),
    [("", {}), ("token", {"Authorization": "Bearer token"}), ("me:word", {"Authorization": "Basic bWU6d29yZA=="})],
)
def test_what_stands_before_comfyui_is_given_a_token_a_password_or_nothing(provider, key, header):
    call = next(provider.poll(Job(request_id="x", model="recipe"), key=key))

    assert call.headers == header
    assert provider.download_headers(key) == header


def test_a_key_is_tried_without_buying_anything(comfy, provider, converse):
    assert converse(provider.check_key(key=KEY)) is True
    with pytest.raises(KeyRefused):
        converse(provider.check_key(key="invalid"))

    assert comfy.journal.submissions == []


def _answered(body):
    return Reply(status=200, headers={}, body=body)
