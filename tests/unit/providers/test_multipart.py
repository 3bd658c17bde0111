import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from providers.multipart import Part, read, read_all, write

CONTENT = st.binary(max_size=200) | st.sampled_from([b"\r\n", b"--zaps-", b"\r\n--\r\n", b"\x00\xff\r\n\r\n"])


@settings(max_examples=300)
@given(first=CONTENT, second=CONTENT)
def test_what_is_written_is_read_again(first, second):
    parts = {
        "job": Part(content=first, content_type="application/json"),
        "input": Part(content=second, content_type="image/png", filename="input.png"),
    }

    assert read(*write(parts)) == parts


def test_a_form_looks_as_every_server_expects_it():
    content_type, body = write({"content": Part(content=b"abc", content_type="image/png", filename="a.png")})

    boundary = content_type.removeprefix("multipart/form-data; boundary=")
    assert (
        body
        == (
            f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="a.png"\r\n'
            f"Content-Type: image/png\r\n\r\nabc\r\n--{boundary}--\r\n"
        ).encode()
    )


@pytest.mark.parametrize("content_type", ["", "application/json", "multipart/form-data", "multipart/x; boundary=é"])
@given(body=st.binary(max_size=100))
def test_what_is_no_form_has_no_fields(content_type, body):
    assert read(content_type, body) == {}


def test_several_fields_may_have_one_name():
    first, second = Part(content=b"a", filename="a.png"), Part(content=b"b", filename="b.png")
    form = write([("input", first), ("input", second)])

    assert read_all(*form) == [("input", first), ("input", second)]
    assert read(*form) == {"input": second}
