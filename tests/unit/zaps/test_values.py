import pytest

from zaps.recipe import parse
from zaps.values import check_values

from .texts import SMALL, changed

RECIPE = parse(
    changed(
        SMALL,
        "  NAME: {type: string}\n",
        '  NAME: {type: string, required: true, label: "Who is it?"}\n'
        "  STORY: {type: textarea}\n"
        "  FACE: {type: image}\n"
        "  CLIP: {type: video}\n"
        "  SONG: {type: audio}\n"
        "  MOOD: {type: select, options: [calm, wild]}\n"
        "  AGE: {type: number}\n",
    ),
    {},
)


@pytest.mark.parametrize(("name", "value"), [
    ("NAME", "Ada"),
    ("STORY", "a\nb"),
    ("FACE", "https://example.com/a.png?x=1"),
    ("FACE", "data:image/png;base64,iVBORw0KGgo="),
    ("FACE", "mock:face"),
    ("FACE", "input:inputs/abc|image/png"),
    ("FACE", "https://xn--bcher-kva.example:8443/a.png"),
    ("CLIP", "data:video/mp4;base64,AAAA"),
    ("CLIP", "input:uploads/abc|video/mp4"),
    ("SONG", "https://example.com/a.mp3"),
    ("SONG", "data:audio/mpeg;base64,AAAA"),
    ("MOOD", "wild"),
    ("AGE", 0),
    ("AGE", -1.5),
])  # fmt: skip
def test_a_value_of_its_type_is_taken(name, value):
    values, problems = check_values(RECIPE, {"NAME": "x", name: value})

    assert not problems
    assert values[name] == value


@pytest.mark.parametrize(("name", "value", "code"), [
    ("NAME", None, "INPUT_MISSING"),
    ("NAME", " ", "INPUT_MISSING"),
    ("NAME", 10, "INPUT_INVALID"),
    ("NAME", {"a": 1}, "INPUT_INVALID"),
    ("NAME", "a\0b", "INPUT_INVALID"),
    ("NAME", "x" * 2001, "INPUT_INVALID"),
    ("STORY", ["x"], "INPUT_INVALID"),
    ("FACE", "http://example.com/a.png", "INPUT_INVALID"),
    ("FACE", "HTTPS://example.com/a.png", "INPUT_INVALID"),
    ("FACE", "hTtps://example.com/a.png", "INPUT_INVALID"),
    ("FACE", "https://", "INPUT_INVALID"),
    ("FACE", "https://user:secret@example.com/a.png", "INPUT_INVALID"),
    ("FACE", "https://example.com:port/a.png", "INPUT_INVALID"),
    ("FACE", "https://[::1/a.png", "INPUT_INVALID"),
    ("FACE", "https://b\u00fccher.example/a.png", "INPUT_INVALID"),
    ("FACE", "https://localhost/a.png", "INPUT_INVALID"),
    ("FACE", "https://127.0.0.1/a.png", "INPUT_INVALID"),
    ("FACE", "https://2130706433/a.png", "INPUT_INVALID"),
    ("FACE", "https://0x7f.1/a.png", "INPUT_INVALID"),
    ("FACE", "https://[::ffff:10.0.0.7]/a.png", "INPUT_INVALID"),
    ("FACE", "https://169.254.169.254/latest/meta-data/", "INPUT_INVALID"),
    ("FACE", "https://metadata.google.internal/", "INPUT_INVALID"),
    ("FACE", "https://redis/a.png", "INPUT_INVALID"),
    ("FACE", "https://example.com./a.png", "INPUT_INVALID"),
    ("FACE", "https://example.com\\@localhost/a.png", "INPUT_INVALID"),
    ("FACE", "file:///etc/passwd", "INPUT_INVALID"),
    ("FACE", "input:uploads/abc|video/mp4", "INPUT_INVALID"),
    ("FACE", "upload:upload_0000000000000000", "INPUT_INVALID"),
    ("SONG", "data:image/png;base64,AAAA", "INPUT_INVALID"),
    ("SONG", "input:inputs/abc|image/png", "INPUT_INVALID"),
    ("FACE", "/etc/passwd", "INPUT_INVALID"),
    ("FACE", "data:video/mp4;base64,AAAA", "INPUT_INVALID"),
    ("FACE", "data:image/png,plain", "INPUT_INVALID"),
    ("CLIP", "data:image/png;base64,AAAA", "INPUT_INVALID"),
    ("MOOD", "Wild", "INPUT_INVALID"),
    ("AGE", "5", "INPUT_INVALID"),
    ("AGE", True, "INPUT_INVALID"),
    ("AGE", float("nan"), "INPUT_INVALID"),
    ("AGE", float("inf"), "INPUT_INVALID"),
    pytest.param("AGE", 10**400, "INPUT_INVALID", id="huge"),
    ("NAMES", "Ada", "INPUT_UNKNOWN"),
])  # fmt: skip
def test_a_value_of_another_type_is_refused_by_name(name, value, code):
    _, problems = check_values(RECIPE, {"NAME": "x", name: value})

    assert [(problem.code, problem.path) for problem in problems] == [(code, f"inputs.{name}")]


def test_every_wrong_value_is_named_at_once():
    _, problems = check_values(RECIPE, {"MOOD": "wid", "AGE": "x"})

    assert [problem.path for problem in problems] == ["inputs.NAME", "inputs.MOOD", "inputs.AGE"]
    assert "Who is it?" in problems[0].message
    assert 'Did you mean "wild"?' in problems[1].message


@pytest.mark.parametrize("name", ["STORY", "FACE", "SONG", "MOOD", "AGE"])
@pytest.mark.parametrize("empty", [None, "", "  "])
def test_an_empty_value_counts_as_not_given(name, empty):
    values, problems = check_values(RECIPE, {"NAME": "x", name: empty})

    assert (values, problems) == ({"NAME": "x"}, [])
