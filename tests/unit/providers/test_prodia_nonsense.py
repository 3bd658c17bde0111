"""Whatever Prodia answers, the adapter says something that the engine understands, in words of our own."""

import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.prodia import Prodia
from providers.contract import Generation, Job, JobState, Reply
from providers.errors import ProviderError
from providers.multipart import Part, write

SAID = "a lighthouse"  # theirs: must never come out
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["processed", "completed", "failed", "https://x/a", SAID, "..", "a.txt", "\ud800"])
)
WORDS = st.sampled_from([
    *("id", "state", "current", "config", "seed", "price", "dollars", "error", "files", "output", "name", "url"),
])  # fmt: skip
ANSWERS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=12
)
STATUSES = st.sampled_from([200, 201, 301, 400, 401, 402, 404, 408, 422, 429, 500, 502, 504])
BODIES = ANSWERS.map(lambda answer: json.dumps(answer).encode()) | st.binary(max_size=60)
TYPES = st.sampled_from(
    ["application/json", "multipart/form-data; boundary=b", "multipart/form-data", "text/plain", ""]
)
HEADERS = st.builds(
    lambda content_type, after: {"content-type": content_type, "retry-after": after},
    TYPES,
    st.sampled_from(["1", "-1", "NaN", ""]),
)
REPLIES = st.builds(Reply, status=STATUSES, headers=HEADERS, body=BODIES)
PARTS = st.builds(
    Part,
    content=BODIES,
    content_type=st.sampled_from(["application/json", "image/png", "text/plain", "multipart/mixed", "message/rfc822"]),
)


def form(parts):
    content_type, body = write(parts)
    return Reply(status=200, headers={"content-type": content_type}, body=body)


FORMS = st.lists(st.tuples(st.sampled_from(["job", "output", "x"]), PARTS), max_size=4).map(form)
STATES = st.sampled_from([b"processed", b"failed", b"processing", b'"processed"\n', b"?", b"", b"\xff"])
WORD = st.builds(Reply, status=st.just(200), headers=st.just({}), body=STATES)
JOB = Job(request_id="r", model="inference.flux-2.pro.txt2img.v1")
STILL = Generation(capability="image.gen", model="inference.flux-2.pro.txt2img.v1", prompt="p")
SKETCH = Generation(capability="image.gen", model="inference.flux-fast.schnell.txt2img.v2", prompt="p")


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


def is_silent(seen):
    return "lighthouse" not in f"{seen!r} {seen} {getattr(seen, 'extra', '')}"


def is_sound(seen):
    return (
        bool(seen.outputs) == (seen.state is JobState.DONE)
        and (seen.error_code is not None) == (seen.state is JobState.FAILED)
        and (seen.seed is None or abs(seen.seed) < 2**63)
        and (seen.cost is None or 0 <= seen.cost.usd <= 10_000)
        and all(output.content or output.url for output in seen.outputs)
    )


@settings(deadline=None, max_examples=400)
@given(word=WORD | REPLIES, record=REPLIES, listed=REPLIES)
def test_a_poll_ends_in_a_snapshot_or_in_an_error_of_ours(word, record, listed):
    prodia = Prodia()

    seen = hold(prodia.poll(JOB, key="k"), [word, record, listed])

    assert isinstance(seen, ProviderError) or is_sound(seen)
    assert is_silent(seen)
    for output in getattr(seen, "outputs", ()):
        assert not output.authorized or prodia.is_own(output.url)


@settings(deadline=None, max_examples=200)
@given(reply=REPLIES)
def test_a_submission_ends_in_a_job_or_in_an_error_of_ours(reply):
    seen = hold(Prodia().submit(STILL, key="k", idem_key="i"), [reply])

    assert isinstance(seen, ProviderError) or seen.request_id
    assert is_silent(seen)


@settings(deadline=None, max_examples=400)
@given(reply=REPLIES | FORMS)
def test_an_answer_with_its_result_ends_in_a_finished_job_or_in_an_error_of_ours(reply):
    seen = hold(Prodia().submit(SKETCH, key="k", idem_key="i"), [reply])

    assert isinstance(seen, ProviderError) or (seen.request_id and seen.snapshot.is_over and is_sound(seen.snapshot))
    assert is_silent(seen)


def sketch(record):
    parts = [("job", Part(content=json.dumps({"id": "j", **record}).encode())), ("output", Part(content=b"picture"))]
    return hold(Prodia().submit(SKETCH, key="k", idem_key="i"), [form(parts)]).snapshot


@pytest.mark.parametrize(
    ("dollars", "booked"),
    [
        (0.0025, "0.0025"),
        (0, "0"),
        (3, "3"),
        (-1, None),
        (float("nan"), None),
        (float("inf"), None),
        (1e40, None),
        (True, None),
        ("0.01", None),
        (None, None),
    ],
)
def test_a_price_that_cannot_be_true_is_no_cost(dollars, booked):
    cost = sketch({"price": {"product": "p", "dollars": dollars}}).cost

    assert (cost and cost.usd) == (booked and Decimal(booked))


@pytest.mark.parametrize(("seed", "kept"), [(7, 7), (2**63, None), (True, None), ("7", None)])
def test_a_seed_that_cannot_be_stored_is_left_out(seed, kept):
    assert sketch({"config": {"seed": seed}}).seed == kept


@pytest.mark.parametrize("record", [{"state": {"current": "failed"}}, {"error": "The job failed: a lighthouse"}])
def test_a_job_that_failed_is_not_done_whatever_came_with_it(record):
    seen = sketch(record)

    assert (seen.state, seen.error_code, seen.outputs) == (JobState.FAILED, "PROVIDER_FAILED", ())


def test_a_file_may_have_any_name():
    processed, record, listed = (
        Reply(status=200, headers={}, body=body) for body in (b"processed", b"{}", b'["\\ud800"]')
    )

    seen = hold(Prodia().poll(JOB, key="k"), [processed, record, listed])

    assert [output.url.rsplit("/", 1)[1] for output in seen.outputs] == ["%3F"]
