"""What goes into a transcript may be anything that a vendor says; what comes out may be read by anybody."""

import base64
import json
import re
from dataclasses import replace
from datetime import date
from urllib.parse import quote, quote_plus, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers import multipart
from providers.adapters.fal import Fal
from providers.contract import Call, Generation, Reply
from providers.transcript.page import Transcript
from providers.transcript.tape import Heard, Tape
from providers.transcript.words import is_field
from providers.transcript.writing import Facts, write_down

FAL = Fal()
ASKED = Generation(capability="image.gen", model="fal-ai/flux/dev", prompt="A red kite over the sea")
FACTS = Facts(generation=ASKED, recorded_on=date(2026, 11, 21), zaps="0.1.0", outcome="done")
URL = "https://queue.fal.run/fal-ai/flux/dev"

_ALNUM = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"
#: As vendors make them: long, with digits among letters, perhaps with a prefix or in parts.
TOKENS = st.one_of(
    st.text(_ALNUM, min_size=20, max_size=48).filter(lambda text: len(re.findall(r"\d+", text)) >= 2),
    st.uuids().map(str),
    st.binary(min_size=16, max_size=24).map(bytes.hex).filter(lambda text: len(re.findall(r"\d+", text)) >= 2),
    st.binary(min_size=20, max_size=30).map(lambda raw: f"sk_live_{base64.urlsafe_b64encode(raw).decode()}"),
    st.from_regex(r"[a-z]{3,9}\.[a-z]{3,9}@[a-z]{4,9}\.example", fullmatch=True),
    st.from_regex(r"eyJ[A-Za-z0-9]{20}\.[A-Za-z0-9]{24}\.[A-Za-z0-9_-]{30}", fullmatch=True),
)
#: A key may look like anything, also like a plain word.
KEYS = st.one_of(
    TOKENS,
    st.from_regex(r"[a-z]{10,16}", fullmatch=True),
    st.from_regex(r"[a-z]{6,9}-[0-9]{3}:[a-z]{8,12}", fullmatch=True),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=40),
)
PLAIN = [
    lambda secret: secret,
    lambda secret: f"Authorization failed for {secret}, try again",
    lambda secret: f"{secret}.png",
    lambda secret: quote(secret, safe=""),
    lambda secret: quote_plus(f"a b {secret}"),
    lambda secret: f"https://queue.fal.run/files/{quote(secret, safe='')}/a.png",
    lambda secret: f"https://queue.fal.run/files/a.png?token={quote(secret, safe='')}&width=5",
    lambda secret: f"https://cdn.example.com/a.png?X-Amz-Signature={quote(secret, safe='')}",
    lambda secret: f"https://{re.sub('[^a-z0-9]', '-', secret.lower())}.example.com/",
    lambda secret: base64.b64encode(secret.encode()).decode(),
    lambda secret: base64.urlsafe_b64encode(b"id:" + secret.encode()).decode(),
    lambda secret: base64.b64encode(b"xy" + secret.encode() + b"z").decode(),
    lambda secret: secret.encode().hex(),
    lambda secret: json.dumps({"token": secret}),
    lambda secret: f"data:text/plain;base64,{base64.b64encode(secret.encode()).decode()}",
]
FIELDS = ["status", "code", "message", "model", "owner", "content_type", "seed", "x"]


def exchange(key, *, query="", sent=None, answered=b"{}", content_type="application/json", headers=None) -> Tape:
    """One paid call with that key, and its answer."""
    tape = Tape()
    call = Call(
        method="POST",
        url=URL + query,
        headers={"Authorization": f"Key {key}"},
        json={"prompt": ASKED.prompt} if sent is None else sent,
        paid=True,
    )
    reply = Reply(status=200, headers={"content-type": content_type, **(headers or {})}, body=answered)
    asked, heard = tape.hear(one_call(call)), None
    heard = next(asked)
    with pytest.raises(StopIteration):
        asked.send(reply)
    assert heard is call
    return tape


def one_call(call):
    reply = yield call
    list(map(reply.headers.get, list(reply.headers)))  # an adapter that looks at every header


def written(tape, facts=FACTS) -> Transcript:
    return Transcript.parse(write_down(tape, FAL, facts).text())


def strings(value):
    """Every string of a JSON document, and what it would be if it were decoded."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield from strings(key)
            yield from strings(one)
    elif isinstance(value, list):
        for one in value:
            yield from strings(one)
    else:
        text = str(value)
        yield from (text, unquote(text), unquote(unquote(text)))
        for start in range(4):
            piece = text[start:]
            try:
                yield base64.b64decode(piece + "=" * (-len(piece) % 4), altchars=b"-_").decode("latin-1")
            except ValueError:
                continue
        try:
            yield bytes.fromhex(text).decode("latin-1")
        except ValueError:
            return


def leaks(transcript, secret) -> list[str]:
    document = json.loads(transcript.text())
    said = [*strings(document["calls"]), *strings(document["files"]), *strings(document["asked"])]
    return [one for one in said if secret in one]


def places(spelt) -> list[dict]:
    """What `exchange` is given so that the text stands in one place after the other."""
    parts = [("note", multipart.Part(content=spelt.encode(), content_type="text/plain", filename="a.txt"))]
    content_type, form = multipart.write(parts)
    return [
        *({"answered": json.dumps({field: spelt}).encode()} for field in FIELDS),
        *({"answered": json.dumps([{"a": [{field: [spelt]}]}]).encode()} for field in FIELDS),
        *({"sent": {"prompt": ASKED.prompt, field: spelt}} for field in FIELDS),
        {"answered": json.dumps({spelt: 1}).encode()},
        {"answered": json.dumps({"urls": {spelt: {spelt: spelt}}}).encode()},
        {"answered": json.dumps({"images": [{"url": spelt, "file_name": spelt}]}).encode()},
        {"answered": spelt.encode(), "content_type": "text/plain"},
        {"answered": spelt.encode(), "content_type": "text/html"},
        {"answered": b"\x89PNG\r\n\x1a\n" + spelt.encode() * 10, "content_type": spelt},
        {"headers": {"x-request-id": spelt, "set-cookie": f"session={spelt}", "retry-after": spelt}},
        {"query": f"?logs=1&token={quote(spelt, safe='')}"},
        {"query": f"?{quote(spelt, safe='')}=1"},
        {"answered": form, "content_type": content_type},
    ]


WHERE = st.integers(0, len(places("x")) - 1)


@settings(max_examples=120, deadline=None)
@given(key=KEYS, spell=st.sampled_from(PLAIN), where=WHERE)
def test_a_key_that_was_sent_never_comes_out_wherever_it_comes_back(key, spell, where):
    assert leaks(written(exchange(key, **places(spell(key))[where])), key) == []


@settings(max_examples=120, deadline=None)
@given(token=TOKENS, spell=st.sampled_from(PLAIN), where=WHERE)
def test_a_token_that_nobody_told_us_of_never_comes_out(token, spell, where):
    assert leaks(written(exchange("another-key-0815", **places(spell(token))[where])), token) == []


@settings(max_examples=40, deadline=None)
@given(password=st.from_regex(r"[a-z]{8,12}", fullmatch=True))
def test_what_a_basic_header_hides_never_comes_out(password):
    packed = base64.b64encode(f"user-01:{password}".encode()).decode()
    tape = exchange("x", answered=json.dumps({"status": password, "message": packed}).encode())
    tape.heard[0] = replace(
        tape.heard[0], call=replace(tape.heard[0].call, headers={"Authorization": f"Basic {packed}"})
    )

    assert leaks(written(tape), password) == []


@settings(max_examples=40, deadline=None)
@given(key=KEYS, spell=st.sampled_from(PLAIN))
def test_a_key_in_the_prompt_or_the_parameters_does_not_come_out_either(key, spell):
    asked = replace(ASKED, prompt=f"a kite, and {spell(key)}", params={"style": spell(key)})
    tape = exchange(key, sent={"prompt": asked.prompt, "style": spell(key)})

    assert leaks(written(tape, replace(FACTS, generation=asked)), key) == []


def test_a_key_made_of_digits_does_not_come_out_as_a_number():
    tape = exchange("4815162342", answered=b'{"seed": 4815162342, "status": 4815162342}')

    assert leaks(written(tape), "4815162342") == []


def test_numbers_that_may_name_somebody_are_hidden():
    tape = exchange("k-1234567", answered=b'{"user_id": 44112233, "seed": 44112233, "width": 512, "cost": 0.0025}')

    said = written(tape).calls[0]["answer"]["body"]["json"]

    assert said == {"user_id": 0, "seed": 44112233, "width": 512, "cost": 0.0025}


def test_what_an_adapter_needs_is_kept():
    answer = {"status": "IN_QUEUE", "queue_position": 3, "started_at": "2026-11-21T10:00:00.5Z", "size": "1024x576"}
    tape = exchange("k-1234567", query="?logs=1", answered=json.dumps(answer).encode())

    call = written(tape).calls[0]

    assert call["answer"]["body"]["json"] == answer
    assert (call["path"], call["query"]) == ("{origin}/fal-ai/flux/dev", {"logs": "1"})
    assert call["body"] == {"json": {"prompt": ASKED.prompt}}
    assert "authorization" in call["headers"]


def test_the_same_id_has_the_same_name_wherever_it_stands():
    job = "0b6e1f2a-9c3d-4e5f-8a7b-6c5d4e3f2a1b"
    answer = {"request_id": job, "status_url": f"https://queue.fal.run/fal-ai/flux/requests/{job}/status", job: True}
    tape = exchange("k-1234567", answered=json.dumps(answer).encode())

    said = written(tape).calls[0]["answer"]["body"]["json"]

    assert said == {
        "request_id": "{id-1}",
        "status_url": "{origin}/fal-ai/flux/requests/{id-1}/status",
        "{id-1}": True,
    }


def test_an_address_elsewhere_is_one_name_and_nothing_of_it_is_kept():
    url = "https://cdn.example.com/acme/films/kite.png?Signature=abc"
    tape = exchange("k-1234567", answered=json.dumps({"a": url, "b": url, "c": f"{url}d"}).encode())

    said = written(tape).calls[0]["answer"]["body"]["json"]

    assert said == {"a": "{elsewhere-1}", "b": "{elsewhere-1}", "c": "{elsewhere-2}"}


def test_text_that_looks_like_a_name_of_ours_is_not_taken_for_one():
    tape = exchange("k-1234567", answered=b'{"status": "{id-1}", "message": "{origin}"}')

    assert written(tape).calls[0]["answer"]["body"]["json"] == {"status": "{id-1}", "message": "{id-2}"}


def test_a_call_without_an_answer_says_why():
    tape = Tape()
    tape.heard.append(Heard(call=Call(method="GET", url=URL), after_s=1.26, error="PROVIDER_UNAVAILABLE"))

    call = written(tape).calls[0]

    assert (call["no_answer"], call["after_s"]) == ("PROVIDER_UNAVAILABLE", 1.3)


def test_a_call_that_was_broken_off_is_written_down():
    tape = Tape()
    talk = tape.hear(one_call(Call(method="POST", url=URL, paid=True)))
    next(talk)
    talk.close()

    assert [call["no_answer"] for call in written(tape).calls] == ["BROKEN_OFF"]


@pytest.mark.parametrize(
    "name",
    ["b64_json", "imageURL", "taskUUID", "CFGScale", "has_nsfw_concepts", "x-fal-billable-units", "image_2", "12"],
)
def test_a_vendors_field_keeps_its_name(name):
    assert is_field(name)


@pytest.mark.parametrize("name", ["a" * 47 + "!", "A" * 47 + "!", "aA" * 23 + "!", "_a" * 23 + "!", "a1_" * 15 + "!"])
def test_no_name_takes_long_to_be_judged(name):
    assert not is_field(name)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from([*FIELDS, "{id-1}", "data:,"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=20,
)
BODIES = st.one_of(
    JSON.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=300),
    st.binary(max_size=100).map(lambda raw: b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n' + raw),
    st.sampled_from([b"[" * 5000, b'{"a":' * 300 + b"1" + b"}" * 300, b'"\\ud800"', b"1e999", b"9" * 5000]),
)
TYPES = st.sampled_from(
    ["application/json", "text/plain", "multipart/form-data; boundary=x", "image/png", "", ";", "x"]
)


@settings(max_examples=150, deadline=None)
@given(body=BODIES, content_type=TYPES | st.text(max_size=20), header=st.text(max_size=30))
def test_whatever_is_answered_becomes_a_transcript_that_can_be_read(body, content_type, header):
    tape = exchange("k-1234567", answered=body, content_type=content_type, headers={"retry-after": header})

    assert len(written(tape).calls) == 1


@settings(max_examples=100, deadline=None)
@given(url=st.text(max_size=60) | st.from_regex(r"https?://[\x20-\x7e]{0,40}", fullmatch=True))
def test_whatever_is_named_as_an_address_is_replaced_or_cleaned(url):
    tape = exchange("k-1234567", answered=json.dumps({"url": url, "status_url": f"{URL}/{url}"}).encode())

    assert len(written(tape).calls) == 1
