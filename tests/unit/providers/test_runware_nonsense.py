"""Whatever Runware answers, the adapter says something that the engine understands."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.runware import Runware
from providers.contract import Generation, Job, JobState, Media, Reply
from providers.errors import ProviderError
from tests.unit.providers.test_fal_nonsense import hold

TASK_ID = "b43aae10-2b19-4a96-b0ee-f83f7a7a8004"  # of the key "idem"
JOB = Job(request_id=TASK_ID, model="runware:101@1")
STILL = Generation(capability="image.gen", model="runware:101@1", prompt="p")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["success", "processing", "error", "https://x/a", "data:,a", "AAAA", "invalidApiKey", TASK_ID])
)
WORDS = st.sampled_from(
    ["status", "code", "message", "cost", "seed", "imageURL", "mediaURL", "imageBase64Data", "videoDataURI", "taskUUID"]
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=8
)
ENTRIES = st.builds(lambda entry: {"taskUUID": TASK_ID, **entry}, st.dictionaries(WORDS, VALUES, max_size=6))
LISTS = st.lists(ENTRIES | VALUES, max_size=3) | VALUES
ANSWERS = st.fixed_dictionaries({}, optional={"data": LISTS, "errors": LISTS}) | VALUES
BODIES = ANSWERS.map(lambda answer: json.dumps(answer).encode()) | st.binary(max_size=40)
STATUSES = st.sampled_from([200, 200, 200, 301, 400, 401, 402, 404, 408, 422, 429, 499, 500, 502])
REPLIES = st.builds(lambda status, body: Reply(status=status, headers={}, body=body), STATUSES, BODIES)


def require_sense(seen):
    assert bool(seen.outputs) == (seen.state is JobState.DONE)
    assert (seen.error_code is not None) == (seen.state is JobState.FAILED)
    assert seen.error_code is None or seen.error_code.replace("_", "").isupper()
    assert seen.cost is None or 0 <= seen.cost.usd <= 100_000
    assert seen.seed is None or abs(seen.seed) < 2**63


@settings(deadline=None, max_examples=400)
@given(reply=REPLIES)
def test_a_poll_ends_in_a_snapshot_or_in_an_error_of_ours(reply):
    seen = hold(Runware().poll(JOB, key="k"), [reply])

    if not isinstance(seen, ProviderError):
        require_sense(seen)


@settings(deadline=None, max_examples=400)
@given(reply=REPLIES)
def test_a_submission_ends_in_a_job_or_in_an_error_of_ours(reply):
    seen = hold(Runware().submit(STILL, key="k", idem_key="idem"), [reply])

    assert isinstance(seen, ProviderError) or seen.request_id == TASK_ID
    if not isinstance(seen, ProviderError) and seen.snapshot:
        require_sense(seen.snapshot)


@settings(deadline=None, max_examples=200)
@given(reply=REPLIES)
def test_a_search_ends_in_a_job_in_nothing_or_in_an_error_of_ours(reply):
    seen = hold(Runware().recover(idem_key="idem", key="k"), [reply])

    assert seen is None or isinstance(seen, ProviderError) or seen.request_id == TASK_ID


@settings(deadline=None, max_examples=200)
@given(reply=REPLIES)
def test_an_upload_that_makes_no_sense_means_that_nothing_was_asked_for(reply):
    picture = Media(content_type="image/png", read=lambda: b"x" * 300_000)
    talk = Runware().submit(
        Generation(capability="image.edit", model="runware:106@1", prompt="p", images=(picture,)), key="k", idem_key="i"
    )

    assert not next(talk).paid
    try:
        assert talk.send(reply).paid
    except ProviderError:
        talk.close()


def finished(**entry):
    answer = {"data": [{"taskUUID": TASK_ID, "status": "success", "imageURL": "https://x/a", **entry}]}
    return hold(Runware().poll(JOB, key="k"), [Reply(status=200, headers={}, body=json.dumps(answer).encode())])


@pytest.mark.parametrize("cost", [None, "many", -1, float("nan"), float("inf"), 1e40, True, [], {}])
def test_a_cost_that_cannot_be_true_is_none(cost):
    seen = finished(cost=cost)

    assert (seen.state, seen.cost) == (JobState.DONE, None)


@pytest.mark.parametrize(("cost", "usd"), [(0, "0"), (0.14, "0.14"), (0.0019, "0.0019"), (3, "3"), ("0.5", "0.5")])
def test_a_cost_is_taken_as_it_is_written(cost, usd):
    assert finished(cost=cost).cost.usd == Decimal(usd)


@pytest.mark.parametrize(("seed", "kept"), [(7, 7), (2**63 - 1, 2**63 - 1), (2**63, None), (True, None), ("7", None)])
def test_a_seed_that_cannot_be_stored_is_left_out(seed, kept):
    assert finished(seed=seed).seed == kept


@pytest.mark.parametrize(("word", "state"), [("error", JobState.FAILED), ("processing", JobState.RUNNING)])
def test_the_address_of_what_is_not_done_is_no_result(word, state):
    seen = finished(status=word)

    assert (seen.state, seen.outputs) == (state, ())
