"""Whatever ComfyUI, or what stands before it, answers: the adapter says something that the engine understands."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.comfyui import ComfyUI
from providers.contract import CancelState, Generation, Job, JobState, Media, Reply
from providers.errors import ProviderError

PROMPT_ID = "b43aae10-2b19-4a96-b0ee-f83f7a7a8004"  # of the key "idem"
JOB = Job(request_id=PROMPT_ID, model="recipe")
GRAPH = {
    "1": {"class_type": "LoadImage", "inputs": {"image": "a.png"}},
    "2": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}},
}
STILL = Generation(
    capability="image.edit",
    model="recipe",
    images=(Media(content_type="image/png", read=lambda: b"1"),),
    params={"workflow": GRAPH, "slots": {"image": ["1", "image"]}},
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["success", "error", "output", "execution_error", "\ud800", PROMPT_ID])
)
WORDS = st.sampled_from(
    "status status_str messages outputs images gifs audio filename subfolder type prompt zaps idem seed timestamp name"
    " queue_running queue_pending prompt_id exception_type".split()
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3), max_leaves=6
)
FILES = st.lists(st.builds(lambda file: {"filename": "a", "type": "output", **file}, st.dictionaries(WORDS, VALUES)))
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["execution_start", "execution_success", "execution_error", "execution_interrupted"]) | VALUES,
        st.builds(lambda at: {"timestamp": at}, SCALARS) | VALUES,
    ),
    max_size=3,
)
STATUS = st.builds(
    lambda word, events: {"status_str": word, "messages": events},
    st.sampled_from(["success", "success", "error"]) | VALUES,
    EVENTS | VALUES,
)
EXTRA = st.builds(lambda mark: [1, PROMPT_ID, {}, {"zaps": mark}], VALUES) | VALUES
ENDINGS = st.builds(
    lambda status, files, prompt: {
        PROMPT_ID: {"status": status, "outputs": {"9": {"images": files}}, "prompt": prompt}
    },
    STATUS | VALUES,
    FILES | VALUES,
    EXTRA,
)
QUEUES = st.builds(
    lambda running, pending: {"queue_running": running, "queue_pending": pending},
    st.lists(EXTRA, max_size=3) | VALUES,
    st.lists(EXTRA, max_size=3) | VALUES,
)
ANSWERS = st.just({}) | ENDINGS | QUEUES | VALUES | st.builds(lambda value: {"prompt_id": value, "name": value}, VALUES)
BODIES = ANSWERS.map(lambda answer: json.dumps(answer).encode()) | st.binary(max_size=40)
STATUSES = st.sampled_from([200, 200, 200, 200, 301, 400, 401, 402, 404, 405, 408, 422, 429, 500, 502])
REPLIES = st.builds(lambda status, body: Reply(status=status, headers={}, body=body), STATUSES, BODIES)


@pytest.fixture(scope="module")
def provider():
    return ComfyUI("http://gpu.internal:8188", None, "1", "0.5")


def hold(talk, replies):
    """Answers each call with the next reply, the last one again and again; what it comes to, or our error."""
    replies = [*replies, *[replies[-1]] * 8]
    try:
        next(talk)
        for reply in replies:
            talk.send(reply)
    except StopIteration as stop:
        return stop.value
    except ProviderError as exc:
        return exc
    raise AssertionError("It asks for more than it should.")


@settings(deadline=None, max_examples=100)
@given(replies=st.lists(REPLIES, min_size=1, max_size=3))
def test_a_poll_ends_in_a_snapshot_or_in_an_error_of_ours(provider, replies):
    seen = hold(provider.poll(JOB, key="k"), replies)

    if not isinstance(seen, ProviderError):
        assert bool(seen.outputs) == (seen.state is JobState.DONE)
        assert all(provider.is_own(output.url) for output in seen.outputs)
        assert (seen.error_code is not None) == (seen.state is JobState.FAILED)
        assert seen.cost is None or 0 <= seen.cost.usd <= 43_200
        assert seen.seed is None or abs(seen.seed) < 2**63
        assert seen.queue_position is None or seen.queue_position >= 0


@settings(deadline=None, max_examples=100)
@given(replies=st.lists(REPLIES, min_size=1, max_size=2))
def test_a_submission_ends_in_a_job_or_in_an_error_of_ours(provider, replies):
    seen = hold(provider.submit(STILL, key="k", idem_key="idem"), replies)

    assert isinstance(seen, ProviderError) or seen.request_id.replace("-", "").isalnum()


@settings(deadline=None, max_examples=100)
@given(replies=st.lists(REPLIES, min_size=1, max_size=3))
def test_a_search_ends_in_a_job_in_nothing_or_in_an_error_of_ours(provider, replies):
    seen = hold(provider.recover(idem_key="idem", key="k"), replies)

    assert seen is None or isinstance(seen, ProviderError) or seen.request_id.replace("-", "").isalnum()


@settings(deadline=None, max_examples=100)
@given(replies=st.lists(REPLIES, min_size=1, max_size=4))
def test_a_request_to_stop_ends_in_a_word_or_in_an_error_of_ours(provider, replies):
    seen = hold(provider.cancel(JOB, key="k"), replies)

    assert isinstance(seen, CancelState | ProviderError)


def ended(provider, *, file=None, files=(), seed=1, messages=(), **more):
    picture = {"filename": "a.png", "subfolder": "", "type": "output", **(file or {})}
    answer = {
        "outputs": {"9": {"images": [picture, *files]}},
        "status": {"status_str": "success", "messages": list(messages)},
        "prompt": [1, PROMPT_ID, {}, {"zaps": {"seed": seed}}],
        **more,
    }
    return hold(
        provider.poll(JOB, key="k"), [Reply(status=200, headers={}, body=json.dumps({PROMPT_ID: answer}).encode())]
    )


@pytest.mark.parametrize(("seed", "kept"), [(7, 7), (2**63 - 1, 2**63 - 1), (2**63, None), (True, None), ("7", None)])
def test_a_seed_that_cannot_be_stored_is_left_out(provider, seed, kept):
    assert ended(provider, seed=seed).seed == kept


@pytest.mark.parametrize("more", [{"prompt": None}, {"prompt": [1]}, {"prompt": [1, 2, 3, "x"]}, {"prompt": {}}])
def test_a_history_that_does_not_repeat_the_graph_tells_no_seed(provider, more):
    seen = ended(provider, **more)

    assert (seen.state, seen.seed) == (JobState.DONE, None)


@pytest.mark.parametrize(
    ("file", "query"),
    [
        ({"filename": "\ud800.png"}, "filename=%3F.png&subfolder=&type=output"),
        ({"filename": "../../a&type=input#"}, "filename=..%2F..%2Fa%26type%3Dinput%23&subfolder=&type=output"),
        ({"subfolder": None}, "filename=a.png&subfolder=&type=output"),
        ({"subfolder": ["x"]}, "filename=a.png&subfolder=%5B%27x%27%5D&type=output"),
    ],
)
def test_a_file_s_name_stays_a_name_in_the_address(provider, file, query):
    (output,) = ended(provider, file=file).outputs

    assert output.url == f"http://gpu.internal:8188/view?{query}"


@pytest.mark.parametrize("file", [None, 7, [], "a.png", {}, {"filename": 7, "type": "output"}, {"filename": "b"}])
def test_what_is_no_file_is_no_result(provider, file):
    assert len(ended(provider, files=[file]).outputs) == 1


@pytest.mark.parametrize("outputs", [None, [], {"9": None}, {"9": {"images": None}}, {"9": {"images": {}}}, "x"])
def test_without_a_file_nothing_was_made(provider, outputs):
    assert ended(provider, outputs=outputs).error_code == "OUTPUT_MISSING"


@pytest.mark.parametrize(
    ("messages", "usd"),
    [
        ([["execution_start", {"timestamp": 1000}], ["execution_success", {"timestamp": 5000}]], "2"),
        ([["execution_start", {"timestamp": 5000}]], "0"),
        ([["execution_start", {"timestamp": 0}], ["execution_success", {"timestamp": 2**52}]], "43200"),
        ([["execution_start", {"timestamp": -1}], ["execution_success", {"timestamp": True}]], "0"),
        ([["execution_start", {}], ["execution_cached", None], "x", [1], [[], {}], {}], "0"),
    ],
)
def test_a_time_that_cannot_be_true_costs_nothing_or_a_day(provider, messages, usd):
    seen = ended(provider, messages=messages)

    assert (seen.state, seen.cost.usd) == (JobState.DONE, Decimal(usd))


@pytest.mark.parametrize("entry", [None, [], [1], ["1", PROMPT_ID], [None, PROMPT_ID], [1, None], {}, "x", 7])
def test_an_entry_of_the_queue_that_makes_no_sense_is_passed_over(provider, entry):
    queue = {"queue_running": [entry], "queue_pending": [entry, [2, PROMPT_ID], [1, "another"], entry]}
    replies = [Reply(status=200, headers={}, body=body) for body in (b"{}", json.dumps(queue).encode())]

    seen = hold(provider.poll(JOB, key="k"), replies)

    assert (seen.state, seen.queue_position) == (JobState.QUEUED, 1)
