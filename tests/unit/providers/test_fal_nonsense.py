"""Whatever fal answers, the adapter says something that the engine understands."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.fal import Fal
from providers.contract import Generation, Job, JobState, Reply
from providers.errors import ProviderError

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.text(max_size=8)
    | st.sampled_from(["COMPLETED", "https://x/a"])
)
WORDS = st.sampled_from(
    ["status", "error", "error_type", "logs", "queue_position", "images", "video", "url", "detail", "type", "seed"]
)
ANSWERS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=12
)
STATUSES = st.sampled_from([200, 202, 301, 400, 401, 402, 404, 422, 429, 499, 500, 502, 504])
HEADERS = st.dictionaries(
    st.sampled_from(["x-fal-billable-units", "x-fal-retryable", "x-fal-error-type", "retry-after"]),
    st.sampled_from(["1", "-1", "NaN", "Infinity", "1e40", "true", "", "bad_request", "client_cancelled"]),
)
REPLIES = st.builds(
    lambda status, headers, answer: Reply(status=status, headers=headers, body=json.dumps(answer).encode()),
    STATUSES,
    HEADERS,
    ANSWERS,
)
JOB = Job(request_id="r", model="fal-ai/flux/dev")


def hold(talk, replies):
    """Answers each call with the next reply; what the talk comes to, or the error of ours that it raised."""
    try:
        next(talk)
        for reply in replies:
            talk.send(reply)
    except StopIteration as stop:
        return stop.value
    except ProviderError as exc:
        return exc
    raise AssertionError("It asks for more than it should.")


@settings(deadline=None, max_examples=200)
@given(first=ANSWERS, second=REPLIES)
def test_a_poll_ends_in_a_snapshot_or_in_an_error_of_ours(first, second):
    status = {**(first if isinstance(first, dict) else {}), "status": "COMPLETED"}
    replies = [Reply(status=200, headers={}, body=json.dumps(status).encode()), second]

    seen = hold(Fal().poll(JOB, key="k"), replies)

    if not isinstance(seen, ProviderError):
        assert bool(seen.outputs) == (seen.state is JobState.DONE)
        assert (seen.error_code is not None) == (seen.state is JobState.FAILED)
        assert seen.cost is None or 0 <= seen.cost.units <= 1_000_000
        assert seen.seed is None or abs(seen.seed) < 2**63


@settings(deadline=None, max_examples=200)
@given(first=REPLIES, second=REPLIES)
def test_a_poll_survives_any_status(first, second):
    hold(Fal().poll(JOB, key="k"), [first, second])


@settings(deadline=None, max_examples=200)
@given(reply=REPLIES)
def test_a_submission_ends_in_a_job_or_in_an_error_of_ours(reply):
    still = Generation(capability="image.gen", model="fal-ai/flux/dev", prompt="p")

    seen = hold(Fal().submit(still, key="k", idem_key="i"), [reply])

    assert isinstance(seen, ProviderError) or seen.request_id


def finished(headers, **answer):
    done = Reply(status=200, headers={}, body=b'{"status": "COMPLETED"}')
    result = {"images": [{"url": "https://x/a"}], **answer}
    return hold(Fal().poll(JOB, key="k"), [done, Reply(status=200, headers=headers, body=json.dumps(result).encode())])


@pytest.mark.parametrize("units", ["", "many", "-1", "NaN", "Infinity", "1e40"])
def test_units_that_cannot_be_true_give_no_cost(units):
    seen = finished({"x-fal-billable-units": units})

    assert (seen.state, seen.cost) == (JobState.DONE, None)


@pytest.mark.parametrize(("seed", "kept"), [(7, 7), (2**63 - 1, 2**63 - 1), (2**63, None), (True, None), ("7", None)])
def test_a_seed_that_cannot_be_stored_is_left_out(seed, kept):
    assert finished({}, seed=seed).seed == kept
