import io

import pytest
from rest_framework.exceptions import ParseError

from core.api.parsers import BodyTooLarge, JsonObjectParser, MediaJsonObjectParser


def read(raw, parser=JsonObjectParser):
    return parser().parse(io.BytesIO(raw))


def test_one_object_is_read():
    assert read('{"a": [1, 2.5, "ü", null]}'.encode()) == {"a": [1, 2.5, "ü", None]}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"1",
        b"{",
        b"\xff",
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b"[" * 10**5,
        b'{"a": "\\u0000"}',
        b'{"\\ud800": 1}',
        b'{"a": ["\\udc00"]}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_cannot_be_kept_is_refused(raw):
    with pytest.raises(ParseError):
        read(raw)


@pytest.mark.parametrize(("raw", "text"), [(rb'{"a": "\\u0000"}', "\\u0000"), (rb'{"a": "\ud83d\ude00"}', "😀")])
def test_what_only_looks_like_it_is_not(raw, text):
    assert read(raw) == {"a": text}


def test_a_megabyte_is_the_limit_to_the_byte():
    fits = b'{"a": "' + b"x" * (1024 * 1024 - 9) + b'"}'

    assert len(fits) == 1024 * 1024
    assert read(fits)
    with pytest.raises(BodyTooLarge):
        read(fits + b" ")


def test_media_in_inputs_does_not_count():
    media = b"data:image/png;base64," + b"A" * 2_000_000

    assert read(b'{"inputs": {"P": "' + media + b'"}}', MediaJsonObjectParser)
    for raw in (
        b'{"source": "' + media + b'"}',
        b'{"inputs": {"P": "x' + media + b'"}}',
        b'{"inputs": {"P": ["' + media + b'"]}}',
    ):
        with pytest.raises(BodyTooLarge):
            read(raw, MediaJsonObjectParser)
