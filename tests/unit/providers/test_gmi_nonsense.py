"""Whatever GMI Cloud answers, the adapter says something that the engine understands, in words of our own."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.adapters.gmi import Gmi
from providers.contract import Generation, Job, JobState, Media, Reply
from providers.errors import ProviderError

SAID = "a lighthouse of https://storage.googleapis.com/signed"  # theirs: must never come out
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["success", "failed", "Success", "cancelled", "https://x/a", SAID, "rate limit", "\ud800"])
)
WORDS = st.sampled_from([
    *("data", "request_id", "status", "outcome", "error", "message", "payload", "seed"),
    *("video_url", "audio_url", "image_url", "media_urls", "media", "url", "upload_url", "public_url"),
])  # fmt: skip
ANSWERS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=6), max_leaves=14
)
STATUSES = st.sampled_from([200, 201, 301, 400, 401, 402, 404, 408, 409, 422, 429, 500, 502, 504])
BODIES = ANSWERS.map(lambda answer: json.dumps(answer).encode()) | st.binary(max_size=40)
HEADERS = st.dictionaries(st.just("retry-after"), st.sampled_from(["1", "-1", "NaN", "Infinity", "soon", ""]))
REPLIES = st.builds(Reply, status=STATUSES, headers=HEADERS, body=BODIES)
RECORDS = st.builds(
    lambda answer, status: Reply(
        status=200,
        headers={},
        body=json.dumps({**(answer if isinstance(answer, dict) else {}), "status": status}).encode(),
    ),
    ANSWERS,
    st.sampled_from(["success", "failed", "cancelled", "queued", "?"]),
)
JOB = Job(request_id="r", model="seedance-2-0-260128")
PICTURE = Media(content_type="image/png", read=lambda: b"picture")
STILL = Generation(capability="image.edit", model="seedream-5.0-lite", prompt="p", images=(PICTURE,))


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
        and all(output.url.startswith(("https://", "http://")) for output in seen.outputs)
        and len(set(seen.outputs)) == len(seen.outputs)
    )


@settings(deadline=None, max_examples=400)
@given(reply=REPLIES | RECORDS)
def test_a_poll_ends_in_a_snapshot_or_in_an_error_of_ours(reply):
    seen = hold(Gmi().poll(JOB, key="k"), [reply])

    assert isinstance(seen, ProviderError) or is_sound(seen)
    assert is_silent(seen)


@settings(deadline=None, max_examples=400)
@given(reply=REPLIES | RECORDS)
def test_a_submission_ends_in_a_job_or_in_an_error_of_ours(reply):
    bare = Generation(capability="image.gen", model="seedream-5.0-lite", prompt="p")

    seen = hold(Gmi().submit(bare, key="k", idem_key="i"), [reply])

    assert isinstance(seen, ProviderError) or (seen.request_id and (seen.snapshot is None or is_sound(seen.snapshot)))
    assert is_silent(seen)


@settings(deadline=None, max_examples=200)
@given(place=REPLIES, stored=REPLIES)
def test_an_upload_ends_in_an_address_or_in_an_error_of_ours(place, stored):
    accepted = Reply(status=200, headers={}, body=b'{"request_id": "r"}')

    seen = hold(Gmi().submit(STILL, key="k", idem_key="i"), [place, stored, accepted])

    assert isinstance(seen, ProviderError) or seen.request_id == "r"
    assert is_silent(seen)


@pytest.mark.parametrize(("seed", "kept"), [(7, 7), (2**63 - 1, 2**63 - 1), (2**63, None), (True, None), ("7", None)])
def test_a_seed_that_cannot_be_stored_is_left_out(seed, kept):
    record = {"status": "success", "payload": {"seed": seed}, "outcome": {"image_url": "https://x/a"}}

    seen = hold(Gmi().poll(JOB, key="k"), [Reply(status=200, headers={}, body=json.dumps(record).encode())])

    assert (seen.state, seen.seed) == (JobState.DONE, kept)


FIRST, SECOND, LITTLE = "https://x/first.mp4", "https://x/second.mp4", "https://x/little.png"


@pytest.mark.parametrize(
    ("outcome", "urls"),
    [
        ({"video_url": FIRST, "media_urls": [{"url": SECOND}], "thumbnail_image_url": LITTLE}, [FIRST]),
        ({"audio_url": FIRST, "medias": [{"url": SECOND}]}, [FIRST]),
        ({"image_url": FIRST}, [FIRST]),
        ({"media_urls": [{"id": "0", "url": FIRST}, SECOND]}, [FIRST, SECOND]),
        ({"media_urls": [], "media": [{"url": FIRST}]}, [FIRST]),
        ({"medias": [{"url": FIRST}]}, [FIRST]),
        ({"thumbnail_image_url": LITTLE}, []),
        ({"video_url": "gs://bucket/first.mp4"}, []),
    ],
)
def test_a_result_is_taken_from_where_the_vendor_puts_it(outcome, urls):
    record = {"status": "success", "outcome": outcome}

    seen = hold(Gmi().poll(JOB, key="k"), [Reply(status=200, headers={}, body=json.dumps(record).encode())])

    assert [output.url for output in seen.outputs] == urls
