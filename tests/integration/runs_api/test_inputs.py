import base64
import hashlib

import pytest
from django.core.files.storage import default_storage

from core.errors import BadInput, NotFound
from media.mock import mock_media
from runs.inputs import read_input, store_inputs, type_of_input
from runs.models import Run

PNG = mock_media("png", seed="a photo")
KEY = f"inputs/{hashlib.sha256(PNG).hexdigest()}"


def uri(content, head="data:image/png;base64,"):
    return head + base64.b64encode(content).decode()


def files():
    return default_storage.listdir("inputs")[1] if default_storage.exists("inputs") else []


@pytest.mark.django_db
def test_media_goes_into_storage_by_its_content_and_other_values_stay():
    stored = store_inputs({"PHOTO": uri(PNG), "NAME": "Ada", "AGE": 3, "LINK": "https://example.com/a.png"})

    assert stored == {"PHOTO": f"input:{KEY}|image/png", "NAME": "Ada", "AGE": 3, "LINK": "https://example.com/a.png"}
    assert (type_of_input(stored["PHOTO"]), read_input(stored["PHOTO"])) == ("image/png", PNG)


@pytest.mark.django_db
def test_the_same_bytes_are_stored_once():
    store_inputs({"A": uri(PNG), "B": uri(PNG)})
    store_inputs({"A": uri(PNG)})

    assert files() == [KEY.removeprefix("inputs/")]


@pytest.mark.django_db
def test_the_type_is_what_the_bytes_are():
    stored = store_inputs({"PHOTO": uri(PNG, "data:image/jpeg;base64,"), "OTHER": uri(PNG, "data:;base64,")})

    assert stored["PHOTO"] == stored["OTHER"] == f"input:{KEY}|image/png"


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("data:image/png,plain", "INPUT_NOT_BASE64"),
        ("data:image/png;base64,!!!", "INPUT_NOT_BASE64"),
        ("data:image/png;base64,AAA", "INPUT_NOT_BASE64"),
        (uri(b"hello"), "INPUT_NOT_MEDIA"),
        (uri(b""), "INPUT_NOT_MEDIA"),
        (uri(PNG, "data:video/mp4;base64,"), "INPUT_NOT_MEDIA"),
        (uri(PNG[:40]), "INPUT_NOT_MEDIA"),
        (uri(PNG[:8] + b"0" * 100), "INPUT_NOT_MEDIA"),
        (uri(b"MZ" + b"0" * 100, "data:image/png;base64,"), "INPUT_NOT_MEDIA"),
        (
            uri(b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>', "data:image/svg+xml;base64,"),
            "INPUT_NOT_MEDIA",
        ),
        (f"input:{KEY}|image/png", "INPUT_NOT_YOURS"),
    ],
)
def test_what_is_no_media_is_named_and_nothing_is_stored(value, code):
    with pytest.raises(BadInput) as caught:
        store_inputs({"GOOD": uri(PNG), "BAD": value})

    assert [(problem.code, problem.path) for problem in caught.value.problems] == [(code, "inputs.BAD")]
    assert files() == []


@pytest.mark.parametrize(
    "value",
    [f"input:{KEY}|image/png", "input:inputs/../../etc/passwd|image/png", "input:/etc/passwd|a/b", "https://x", ""],
)
def test_bytes_that_we_do_not_keep_are_not_found(value):
    for read in (read_input, type_of_input):
        with pytest.raises(NotFound):
            read(value)


@pytest.mark.django_db
def test_a_run_keeps_the_name_of_its_media_and_not_the_media(post, order, as_alice):
    order["inputs"]["PHOTO"] = uri(PNG)

    answer = post("/api/zaps/run", order, **as_alice)

    assert answer.status_code == 202
    assert Run.objects.get().inputs == {"NAME": "Ada", "PHOTO": f"input:{KEY}|image/png"}


@pytest.mark.django_db
def test_a_plan_stores_no_media(post, order, as_alice):
    order["inputs"]["PHOTO"] = uri(PNG)

    assert post("/api/zaps/run", {**order, "mode": "plan"}, **as_alice).status_code == 200
    assert files() == []


@pytest.mark.django_db
def test_a_caller_cannot_name_bytes_that_somebody_else_sent(post, order, as_alice):
    order["inputs"]["PHOTO"] = store_inputs({"PHOTO": uri(PNG)})["PHOTO"]

    answer = post("/api/zaps/run", order, **as_alice)

    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "INPUT_NOT_YOURS")
    assert not Run.objects.exists()
