"""What a vendor answers, against what the emulator, and so the adapter, believes of it."""

import pytest

from providers.transcript.compare import news
from providers.transcript.page import Transcript


def call(path="{origin}/jobs/{id-1}", status=200, headers=None, **body):
    answer = {"status": status, "type": "application/json", "headers": headers or {}, "body": body}
    return {"method": "GET", "path": path, "answer": answer}


def said(*calls) -> Transcript:
    return Transcript(
        provider="acme", recorded_from="vendor", recorded_on="2026-11-21", zaps="1", adapter="1", outcome="done",
        calls=calls,
    )  # fmt: skip


EXPECTED = said(
    call(json={"status": "pending", "place": 3, "url": None}),
    call(json={"status": "done", "url": "{elsewhere-1}", "cost": 0.5}),
)


def test_the_same_answers_are_no_news_whatever_their_ids_are_called():
    live = said(
        call("{origin}/jobs/{id-7}", json={"status": "pending", "place": 1, "url": None}),
        call("{origin}/jobs/{id-7}", json={"status": "done", "url": "{elsewhere-4}", "cost": 0.1}),
    )

    assert news(live, EXPECTED) == []


def test_what_is_only_told_while_a_job_waits_may_be_missed():
    assert news(said(call(json={"status": "done", "url": "{elsewhere-1}", "cost": 1})), EXPECTED) == []


GET = "GET {origin}/jobs/{id}"
NEW = ", which was not expected."


@pytest.mark.parametrize(
    ("live", "sentence"),
    [
        ({"status": "done", "url": "x", "cost": 1, "eta": 5}, f"{GET} is answered with eta (a number){NEW}"),
        ({"status": "done", "url": "x", "cost": "1"}, f"{GET} is answered with cost (text){NEW}"),
        ({"status": "ready", "url": "x", "cost": 1}, f"{GET} is answered with status ready (a word){NEW}"),
        ({"status": "done", "url": "x"}, f"{GET} is not answered with cost (a number), as was expected."),
        ({"status": "done", "url": "x", "cost": 1, "tags": [{"a": True}]},
         f"{GET} is answered with tags[].a (yes or no){NEW}"),
    ],
)  # fmt: skip
def test_what_is_answered_otherwise_is_told(live, sentence):
    assert sentence in news(said(call(json=live)), EXPECTED)


def test_another_status_another_header_and_bytes_are_told():
    live = said(call(status=202, headers={"x-cost": "1"}, bytes={"content_type": "image/webp"}))

    assert [one.split(" with ")[1].split(",")[0] for one in news(live, EXPECTED) if "not expected" in one] == [
        "bytes of image",
        "status 202",
        "the header x-cost",
    ]


def test_a_call_more_and_a_call_less_are_told():
    assert news(said(call("{origin}/new")), EXPECTED) == [
        "GET {origin}/jobs/{id} was expected, and was not made.",
        "GET {origin}/new was not expected.",
    ]


def test_no_answer_is_told():
    live = said({"method": "GET", "path": "{origin}/jobs/{id-1}", "no_answer": "PROVIDER_UNAVAILABLE"})

    assert f"{GET} is answered with nothing, which was not expected." in news(live, EXPECTED)
