"""Whatever OpenRouter answers, the adapter says something that the engine understands."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.openrouter import STATES, OpenRouter
from providers.contract import Billed, Generation, Job, JobState, Reply
from providers.errors import ProviderError, SubmissionUnknown

VEO = "google/veo-3.1-fast"
JOB = Job(request_id="r", model=VEO)
PROMPT = "A red kite"
ASKED = {
    "clip": Generation(capability="video.gen", model=VEO, prompt=PROMPT),
    "picture": Generation(capability="image.gen", model="google/gemini-2.5-flash-image", prompt=PROMPT),
    "speech": Generation(capability="audio.tts", model="openai/gpt-4o-mini-tts-2025-12-15", prompt=PROMPT),
}
SECRETS = ("kite", "hunter2", "://")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["https://x/a?token=hunter2", PROMPT, "NaN", "-1", "1e400", "iVBORw==", "é", 403, 503, 408, 502])
)
WORDS = st.sampled_from(["code", "message", "metadata", "reasons", "cost", "is_byok", "b64_json", "url", "id"])
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=12
)
NAMES = ("id", "error", "usage", "data", "unsigned_urls", "urls", "polling_url", "created")
ANSWERS = st.builds(
    lambda word, rest: {**rest, "status": word},
    st.sampled_from([*STATES, "paused"]) | ANYTHING,
    st.dictionaries(st.sampled_from(NAMES), ANYTHING, max_size=6),
)
STATUSES = st.sampled_from([200, 201, 202, 204, 301, 400, 401, 402, 403, 404, 408, 413, 429, 500, 502, 503, 504])
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "x-generation-id", "content-type"]),
    st.sampled_from(["1", "-1", "NaN", "soon", "gen-1", "../x", "https://x/a?token=hunter2", "audio/mpeg", ""]),
)
BODIES = (
    (ANSWERS | ANYTHING).map(lambda answer: json.dumps(answer).encode())
    | st.binary(max_size=30)
    | st.sampled_from([b"ID3\x03\x00", b"RIFF\x00\x00\x00\x00WAVEfmt ", b"\x89PNG\r\n\x1a\n", b"<html>", b""])
)
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
    assert seen.cost in (None, Billed()) or 0 <= seen.cost.usd <= 10_000
    assert [word for word in SECRETS if word in repr(seen)] == []


@settings(deadline=None, max_examples=150)
@given(answer=ANSWERS)
def test_a_clip_makes_sense_whatever_is_said_of_it(answer):
    seen = hold(OpenRouter().poll(JOB, key="k"), [Reply(status=200, headers={}, body=json.dumps(answer).encode())])

    if not isinstance(seen, ProviderError):
        require_sense(seen)
        assert all(one.authorized for one in seen.outputs)
        assert all(one.url.startswith("https://openrouter.ai/api/v1/videos/r/content?") for one in seen.outputs)


@settings(deadline=None, max_examples=150)
@given(reply=REPLIES)
def test_a_poll_ends_in_a_snapshot_or_in_an_error_of_ours(reply):
    seen = hold(OpenRouter().poll(JOB, key="k"), [reply])

    if not isinstance(seen, ProviderError):
        require_sense(seen)


@pytest.mark.parametrize("name", ASKED)
@settings(deadline=None, max_examples=150)
@given(reply=REPLIES)
def test_a_submission_ends_in_a_job_or_in_an_error_of_ours(name, reply):
    seen = hold(OpenRouter().submit(ASKED[name], key="k", idem_key="i"), [reply])

    if not isinstance(seen, ProviderError):
        assert seen.request_id
        assert (seen.snapshot is None) == (name == "clip")
        if seen.snapshot:
            require_sense(seen.snapshot)
            assert seen.snapshot.is_over
            require_sense(hold(OpenRouter().poll(seen, key="k"), []))


@pytest.mark.parametrize("name", ASKED)
@settings(deadline=None, max_examples=100)
@given(body=st.binary(max_size=30).filter(lambda body: not body.startswith((b"ID3", b"RIFF"))))
def test_a_success_that_says_nothing_is_never_taken_for_a_refusal(name, body):
    seen = hold(OpenRouter().submit(ASKED[name], key="k", idem_key="i"), [Reply(status=200, headers={}, body=body)])

    assert isinstance(seen, SubmissionUnknown) or seen.request_id


@pytest.mark.parametrize("cost", [-1, "NaN", "many", "Infinity", 1e300, [5], True, None, {}])
def test_a_cost_that_cannot_be_true_is_not_taken(cost):
    body = json.dumps({"status": "completed", "unsigned_urls": ["x"], "usage": {"cost": cost}}).encode()

    seen = hold(OpenRouter().poll(JOB, key="k"), [Reply(status=200, headers={}, body=body)])

    assert (seen.state, seen.cost) == (JobState.DONE, None)


@pytest.mark.parametrize("stored", [{}, {"usd": "NaN"}, {"usd": "-1"}, {"usd": "many"}])
def test_a_stored_cost_that_cannot_be_true_is_not_taken(stored):
    job = Job(request_id="r", model="google/gemini-2.5-flash-image", urls=stored)

    seen = hold(OpenRouter().poll(job, key="k"), [])

    assert (seen.error_code, seen.cost) == ("OUTPUT_EXPIRED", None)


@pytest.mark.parametrize("field", ["status", "error", "usage", "data", "unsigned_urls", "id"])
def test_an_answer_may_be_nested_as_deeply_as_it_likes(field):
    body = b'{"status":"failed","' + field.encode() + b'":' + b"[" * 900 + b"]" * 900 + b"}"

    for talk in (OpenRouter().poll(JOB, key="k"), OpenRouter().submit(ASKED["picture"], key="k", idem_key="i")):
        hold(talk, [Reply(status=200, headers={}, body=body)])
