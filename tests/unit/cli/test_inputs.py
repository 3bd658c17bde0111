import base64
import io

import pytest

from cli import inputs
from cli.exits import Exit
from cli.faults import Fault
from cli.form import FileForm
from media.mock import mock_media


def code_of(raised):
    return raised.value.document["code"]


def test_an_input_is_cut_at_its_first_equals_sign():
    assert inputs.split(["PROMPT=a=b=c", "EMPTY="]) == {"PROMPT": "a=b=c", "EMPTY": ""}


@pytest.mark.parametrize(
    ("words", "code"), [(["PROMPT"], "INPUT_MALFORMED"), (["=x"], "INPUT_MALFORMED"), (["A=1", "A=2"], "INPUT_TWICE")]
)
def test_an_input_without_a_name_or_given_twice_is_refused(words, code):
    with pytest.raises(Fault) as raised:
        inputs.split(words)

    assert code_of(raised) == code
    assert raised.value.exit_code == Exit.BAD_INPUT


def test_numbers_are_numbers_and_texts_stay_texts():
    types = {"COUNT": "number", "SIZE": "number", "NAME": "string", "LOOK": "select"}

    values = inputs.convert({"COUNT": "3", "SIZE": "2.5", "NAME": "3", "LOOK": "dark", "UNKNOWN": "7"}, types)

    assert values == {"COUNT": 3, "SIZE": 2.5, "NAME": "3", "LOOK": "dark", "UNKNOWN": "7"}


@pytest.mark.parametrize("word", ["three", "", "NaN", "Infinity"])
def test_a_word_that_is_no_number_is_refused(word):
    with pytest.raises(Fault) as raised:
        inputs.convert({"COUNT": word}, {"COUNT": "number"})

    assert code_of(raised) == "INPUT_INVALID"


@pytest.mark.parametrize("mark", ["", "@"])
def test_a_picture_is_sent_as_its_bytes_and_their_true_type(tmp_path, mark):
    picture = mock_media("png", seed="a", width=64, height=64)
    file = tmp_path / "picture.jpg"
    file.write_bytes(picture)

    values = inputs.convert({"IMAGE": f"{mark}{file}"}, {"IMAGE": "image"})

    assert values["IMAGE"] == "data:image/png;base64," + base64.b64encode(picture).decode()


def test_an_address_of_a_picture_is_passed_on():
    assert inputs.convert({"IMAGE": "https://example.com/a.png"}, {"IMAGE": "image"}) == {
        "IMAGE": "https://example.com/a.png"
    }


def test_a_text_may_come_from_a_file(tmp_path):
    (tmp_path / "a.txt").write_text("Zwölf Leuchttürme", encoding="utf-8")

    assert inputs.convert({"PROMPT": f"@{tmp_path / 'a.txt'}"}, {"PROMPT": "textarea"}) == {
        "PROMPT": "Zwölf Leuchttürme"
    }


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(Fault) as raised:
        inputs.convert({"IMAGE": str(tmp_path / "none.png")}, {"IMAGE": "image"})

    assert code_of(raised) == "FILE_NOT_FOUND"
    assert "none.png" in str(raised.value)


def test_a_file_above_the_limit_is_refused_before_it_is_sent(tmp_path):
    file = tmp_path / "large.png"
    with file.open("wb") as handle:
        handle.truncate(20 * 1024 * 1024 + 1)

    with pytest.raises(Fault) as raised:
        inputs.convert({"IMAGE": str(file)}, {"IMAGE": "image"})

    assert code_of(raised) == "INPUT_TOO_LARGE"


def test_files_that_are_too_large_together_are_refused(tmp_path):
    picture = mock_media("png", seed="a", width=64, height=64)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(picture + b"\0" * 11_000_000)

    with pytest.raises(Fault) as raised:
        inputs.convert({"A": str(tmp_path / "a"), "B": str(tmp_path / "b")}, {"A": "image", "B": "image"})

    assert code_of(raised) == "INPUT_TOO_LARGE"


def test_a_large_file_is_sent_and_a_small_one_travels_inside_the_request(tmp_path):
    small, large = tmp_path / "small.png", tmp_path / "large.mp4"
    small.write_bytes(mock_media("png", seed="a", width=64, height=64))
    with large.open("wb") as handle:
        handle.truncate(100_000_000)
    sent = []

    def send(path):
        sent.append(path)
        return "upload:upload_1"

    values = inputs.convert({"A": str(small), "B": f"@{large}"}, {"A": "image", "B": "video"}, send)

    assert sent == [large]
    assert values["A"].startswith("data:image/png;base64,")
    assert values["B"] == "upload:upload_1"


def test_an_upload_is_named_again_as_it_is():
    assert inputs.convert({"A": "upload:upload_1"}, {"A": "audio"}) == {"A": "upload:upload_1"}


def test_a_form_is_as_long_as_it_says_and_reads_in_any_pieces():
    content = bytes(range(256)) * 40
    for size in (1, 7, 1000, 1_000_000):
        form = FileForm(io.BytesIO(content), size=len(content))
        pieces = list(iter(lambda form=form, size=size: form.read(size), b""))
        body = b"".join(pieces)

        assert len(body) == form.length
        assert body.startswith(f"--{form.content_type.partition('=')[2]}\r\n".encode())
        assert content in body


def test_a_text_file_is_no_picture(tmp_path):
    (tmp_path / "a.png").write_text("no picture")

    with pytest.raises(Fault) as raised:
        inputs.convert({"IMAGE": str(tmp_path / "a.png")}, {"IMAGE": "image"})

    assert code_of(raised) == "INPUT_NOT_MEDIA"
