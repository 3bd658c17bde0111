"""Whatever Replicate answers, the adapter says something that the engine understands."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.money import ZERO
from providers.adapters.replicate import STATES, Replicate
from providers.contract import Billed, CancelState, Cost, Generation, Job, JobState, Media, Reply
from providers.errors import ProviderError

MODEL = "bytedance/seedance-1-lite"
JOB = Job(request_id="r", model=MODEL)
CLIP = Generation(capability="video.gen", model=MODEL, prompt="A red kite")
SECRETS = ("kite", "hunter2", "://")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["https://x/a?token=hunter2", "data:,x", "A red kite", "NaN", "-1", "1e400", " 50%|##"])
)
WORDS = st.sampled_from(["a", "url", "seed", "duration", "prompt", "get", "cancel", "0"])
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
NAMES = ("id", "output", "error", "logs", "metrics", "input", "urls", "started_at", "data_removed", "model", "version")
PREDICTIONS = st.builds(
    lambda word, rest: {**rest, "status": word},
    st.sampled_from([*STATES, "paused"]) | ANYTHING,
    st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=8),
)
STATUSES = st.sampled_from([200, 201, 202, 204, 301, 400, 401, 402, 404, 409, 422, 429, 500, 502, 504])
HEADERS = st.dictionaries(st.just("retry-after"), st.sampled_from(["1", "-1", "NaN", "soon", "1e40"]))
BODIES = (PREDICTIONS | ANYTHING).map(lambda answer: json.dumps(answer).encode()) | st.binary(max_size=30)
REPLIES = st.builds(
    lambda status, headers, body: Reply(status=status, headers=headers, body=body), STATUSES, HEADERS, BODIES
)


def hold(talk, replies):
    """Answers each call with the next reply; what the talk comes to, or the error of ours that it raised."""
    try:
        next(talk)
        for reply in replies:
            talk.send(reply)
    except StopIteration as stop:
        return stop.value
    except ProviderError as exc:
        shown = f"{exc!r} {exc} {exc.extra}"
        assert [word for word in SECRETS if word in shown] == []
        return exc
    raise AssertionError("It asks for more than it should.")


def require_sense(seen):
    assert bool(seen.outputs) == (seen.state is JobState.DONE)
    assert (seen.error_code is not None) == (seen.state is JobState.FAILED)
    assert seen.cost in (None, Billed(), Cost(usd=ZERO, source="reported"))
    assert seen.seed is None or abs(seen.seed) < 2**63
    assert seen.progress is None or 0 <= seen.progress <= 1
    assert [word for word in SECRETS if word in repr(seen)] == []


@settings(deadline=None, max_examples=150)
@given(prediction=PREDICTIONS)
def test_a_prediction_makes_sense_whatever_stands_in_it(prediction):
    seen = hold(Replicate().poll(JOB, key="k"), [Reply(status=200, headers={}, body=json.dumps(prediction).encode())])

    require_sense(seen)


@settings(deadline=None, max_examples=150)
@given(reply=REPLIES)
def test_a_poll_ends_in_a_snapshot_or_in_an_error_of_ours(reply):
    seen = hold(Replicate().poll(JOB, key="k"), [reply])

    if not isinstance(seen, ProviderError):
        require_sense(seen)


@settings(deadline=None, max_examples=150)
@given(reply=REPLIES)
def test_a_submission_ends_in_a_job_or_in_an_error_of_ours(reply):
    seen = hold(Replicate().submit(CLIP, key="k", idem_key="i"), [reply])

    if not isinstance(seen, ProviderError):
        assert seen.request_id
        assert seen.snapshot is None or seen.snapshot.is_over
        assert all(url.startswith("https://api.replicate.com/") for url in seen.urls.values())


@settings(deadline=None, max_examples=100)
@given(upload=REPLIES, reply=REPLIES)
def test_an_upload_ends_in_a_submission_or_in_an_error_of_ours(upload, reply):
    picture = Media(content_type="image/png", read=lambda: b"x" * 300_000)
    asked = Generation(capability="video.gen", model=MODEL, prompt="A red kite", images=(picture,))

    seen = hold(Replicate().submit(asked, key="k", idem_key="i"), [upload, reply])

    assert isinstance(seen, ProviderError) or seen.request_id


@settings(deadline=None, max_examples=100)
@given(reply=REPLIES)
def test_a_cancellation_ends_in_a_word_or_in_an_error_of_ours(reply):
    assert isinstance(hold(Replicate().cancel(JOB, key="k"), [reply]), CancelState | ProviderError)


@pytest.mark.parametrize("depth", [1, 100_000])
def test_a_result_may_be_nested_as_deeply_as_it_likes(depth):
    body = b'{"status":"succeeded","output":' + b"[" * depth + b'"https://x/a"' + b"]" * depth + b"}"

    seen = hold(Replicate().poll(JOB, key="k"), [Reply(status=200, headers={}, body=body)])

    assert isinstance(seen, ProviderError) or seen.state in (JobState.DONE, JobState.FAILED)


@pytest.mark.parametrize(("seed", "kept"), [(7, 7), (2**63 - 1, 2**63 - 1), (2**63, None), (True, None), ("7", None)])
def test_a_seed_that_cannot_be_stored_is_left_out(seed, kept):
    body = json.dumps({"status": "succeeded", "output": "https://x/a", "input": {"seed": seed}}).encode()

    assert hold(Replicate().poll(JOB, key="k"), [Reply(status=200, headers={}, body=body)]).seed == kept
