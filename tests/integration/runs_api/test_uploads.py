"""Files that callers send, and who may name them."""

import io
import random
import zlib
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from core.errors import BadInput
from media.mock import mock_media
from runs import uploads
from runs.engine.given import given_media
from runs.models import Run, Upload
from tests.integration.recipes import DOOR
from tests.unit.media.test_fence import NOT_KEPT, REFUSED
from zaps.planned import InputRef, Source

RECIPE = DOOR.replace("PHOTO: {type: image}", "PHOTO: {type: %s}").replace(
    "inputs: [door]", "inputs: [door, user.PHOTO]"
)


def picture(seed="a"):
    return mock_media("png", seed=seed, label="x", width=128, height=96, duration_s=None)


@pytest.fixture(autouse=True)
def landing(settings, tmp_path):
    """Where files come in. None stays there."""
    folder = tmp_path / "landing"
    folder.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(folder)
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture
def send(client):
    """POST the bytes as a file; returns the answer."""

    def send(content, headers, name="a.png", **fields):
        body = {"file": SimpleUploadedFile(name, content, content_type="image/svg+xml"), **fields}
        return client.post("/api/uploads", body, headers=headers)

    return send


@pytest.fixture
def sent(send, as_alice):
    answer = send(picture(), as_alice)
    assert answer.status_code == 201, answer.content
    return answer.json()


@pytest.fixture
def nothing_kept(db):
    """Whatever is refused leaves neither a row nor a file."""
    yield
    assert not Upload.objects.exists()
    with pytest.raises(FileNotFoundError):
        default_storage.listdir("uploads")


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def test_a_file_is_kept_and_described_by_what_it_is(sent, alice):
    row = Upload.objects.get()

    assert sent["uploadId"] == row.upload_id
    assert (sent["contentType"], sent["sizeBytes"]) == ("image/png", len(picture()))
    assert (sent["width"], sent["height"], sent["durationS"]) == (128, 96, None)
    assert abs(sent["expiresAt"] / 1000 - timezone.now().timestamp() - 86_400) < 60
    assert row.owner == alice
    with default_storage.open(row.storage_key) as file:
        assert file.read() == picture()


@pytest.mark.parametrize(("kind", "content_type"), [("mp4", "video/mp4"), ("wav", "audio/wav")])
def test_clips_and_sounds_are_taken_too(send, as_alice, kind, content_type):
    answer = send(mock_media(kind, seed="a", label="x", width=128, height=96, duration_s=1), as_alice).json()

    assert (answer["contentType"], answer["durationS"]) == (content_type, 1)


def test_the_same_file_of_the_same_caller_is_one_upload_and_of_another_one_another(send, sent, as_alice, as_bob):
    Upload.objects.update(expires_at=timezone.now() + timedelta(hours=1))

    again, others = send(picture(), as_alice).json(), send(picture(), as_bob).json()

    assert again["uploadId"] == sent["uploadId"]
    assert abs(again["expiresAt"] - sent["expiresAt"]) < 60_000
    assert others["uploadId"] != sent["uploadId"]


# --- what is refused ------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize("content", {**REFUSED, **NOT_KEPT}.values(), ids={**REFUSED, **NOT_KEPT})
def test_a_hostile_file_is_refused(send, as_alice, content):
    answer = send(content, as_alice)

    assert code_of(answer) in {(422, "UPLOAD_NOT_MEDIA"), (400, "UPLOAD_MISSING"), (413, "UPLOAD_TOO_LARGE")}


@pytest.mark.usefixtures("nothing_kept")
def test_json_is_no_input_of_a_run(send, as_alice):
    assert code_of(send(b'{"a": 1}', as_alice)) == (422, "UPLOAD_NOT_MEDIA")


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize("more", [1, 3_000_000])
def test_more_than_is_taken_of_its_class_is_refused(send, as_alice, monkeypatch, more):
    monkeypatch.setenv("ZAP_MAX_IMAGE_MB", "1")

    assert code_of(send(picture() + bytes(1_000_000 + more), as_alice)) == (413, "UPLOAD_TOO_LARGE")


@pytest.mark.usefixtures("nothing_kept")
def test_too_large_a_file_is_not_read_to_its_end(client, as_alice, monkeypatch):
    monkeypatch.setenv("ZAP_MAX_IMAGE_MB", "1")
    heading = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
    content = heading + picture() + bytes(50_000_000) + b"\r\n--x--\r\n"
    body = io.BytesIO(content)
    form = "multipart/form-data; boundary=x"
    environ = {"wsgi.input": body, "CONTENT_LENGTH": str(len(content)), "CONTENT_TYPE": form}

    answer = client.generic("POST", "/api/uploads", headers=as_alice, **environ)

    assert code_of(answer) == (413, "UPLOAD_TOO_LARGE")
    assert body.tell() < 2_000_000


@pytest.mark.usefixtures("nothing_kept")
def test_one_file_at_a_time(client, as_alice):
    for body in (
        {},
        {"file": "text"},
        {"other": SimpleUploadedFile("a.png", picture())},
        {"file": [SimpleUploadedFile("a.png", picture()), SimpleUploadedFile("b.png", picture("b"))]},
        {"file": SimpleUploadedFile("a.png", picture()), "other": SimpleUploadedFile("b.png", picture("b"))},
    ):
        answer = client.post("/api/uploads", body, headers=as_alice)
        assert code_of(answer) == (400, "UPLOAD_MISSING"), body


@pytest.mark.usefixtures("nothing_kept")
@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{}", 415),
        ("multipart/form-data", b"nonsense", 400),
        ("multipart/form-data; boundary=x", b"--x\r\n", 400),
        ("multipart/form-data; boundary=x", random.Random(1).randbytes(2000), 400),
        ("multipart/form-data; boundary=" + "x" * 500, b"--x--", 415),
        ("multipart/form-data; boundary=x", zlib.compress(bytes(10_000)), 400),
    ],
)
def test_a_body_that_is_no_form_is_refused(client, as_alice, content_type, body, status):
    answer = client.generic("POST", "/api/uploads", body, content_type=content_type, headers=as_alice)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"


# --- who may --------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_kept", "db")
def test_a_caller_whom_we_do_not_know_sends_nothing_where_the_mock_is_closed(send, settings):
    settings.ZAP_OPEN_MODES = ("plan",)

    assert code_of(send(picture(), {})) == (401, "NOT_AUTHENTICATED")


@pytest.mark.usefixtures("open_doors", "db")
def test_where_the_mock_is_open_a_stranger_sends_small_files_for_their_own_session(send, post):
    ours, others = {"X-Zap-Session": "one"}, {"X-Zap-Session": "two"}
    sent = send(picture(), ours).json()

    orders = [
        post(
            "/api/zaps/run",
            {"source": RECIPE % "image", "inputs": {"NAME": "Ada", "PHOTO": f"upload:{sent['uploadId']}"}},
            **headers,
        )
        for headers in (ours, others)
    ]

    assert [answer.status_code for answer in orders] == [202, 422]
    assert code_of(send(picture() + bytes(uploads.ANONYMOUS_BYTES), ours)) == (413, "UPLOAD_TOO_LARGE")


@pytest.mark.usefixtures("open_doors", "db")
def test_strangers_together_have_a_share_of_the_disk(send, monkeypatch):
    monkeypatch.setattr(uploads, "_ANONYMOUS_UNUSED_BYTES", len(picture()) + 10)
    send(picture(), {"X-Zap-Session": "one"})

    assert code_of(send(picture("b"), {"X-Zap-Session": "two"})) == (429, "UPLOAD_QUOTA")


def test_a_caller_has_a_share_of_the_disk(send, sent, as_alice, as_bob, monkeypatch):
    monkeypatch.setattr(uploads, "_OWNER_UNUSED_BYTES", len(picture()) + 10)

    assert code_of(send(picture("b"), as_alice)) == (429, "UPLOAD_QUOTA")
    assert send(picture("b"), as_bob).status_code == 201


# --- in a run -------------------------------------------------------------------------------------------------------


@pytest.fixture
def order_with(post):
    def order(upload_id, headers, kind="image", mode="mock"):
        body = {"source": RECIPE % kind, "inputs": {"NAME": "Ada", "PHOTO": f"upload:{upload_id}"}, "mode": mode}
        return post("/api/zaps/run", body, **headers)

    return order


def test_a_run_is_given_the_upload_of_its_owner(order_with, sent, as_alice):
    answer = order_with(sent["uploadId"], as_alice)

    assert answer.status_code == 202, answer.content
    run, upload = Run.objects.get(), Upload.objects.get()
    assert run.inputs == {"NAME": "Ada", "PHOTO": upload.reference}
    assert upload.used_at is not None
    (given,) = given_media([InputRef(source=Source.USER, name="PHOTO", media="image")], run.inputs)
    assert (given.content_type, given.read()) == ("image/png", picture())


def test_a_plan_uses_nothing_up(order_with, sent, as_alice):
    assert order_with(sent["uploadId"], as_alice, mode="plan").status_code == 200
    assert Upload.objects.get().used_at is None


def test_nobody_else_s_upload_can_be_named_and_nobody_learns_that_it_is_there(order_with, sent, as_bob):
    theirs = order_with(sent["uploadId"], as_bob).json()
    nobodys = order_with("upload_0000000000000000", as_bob).json()

    assert [one["code"] for one in theirs["errors"]] == ["UPLOAD_UNKNOWN"]
    assert theirs["errors"] == nobodys["errors"]
    assert not Run.objects.exists()


def test_the_stored_bytes_cannot_be_named_beside_the_upload(post, sent, as_alice, as_bob):
    reference = Upload.objects.get().reference

    for headers in (as_alice, as_bob):
        answer = post(
            "/api/zaps/run", {"source": RECIPE % "image", "inputs": {"NAME": "Ada", "PHOTO": reference}}, **headers
        )
        assert [one["code"] for one in answer.json()["errors"]] == ["INPUT_NOT_YOURS"]


@pytest.mark.parametrize("value", ["upload:", "upload:../../etc", "upload:upload_1", "upload:" + "x" * 2000])
def test_what_is_no_upload_s_name_is_no_value(post, as_alice, value):
    answer = post("/api/zaps/run", {"source": RECIPE % "image", "inputs": {"NAME": "Ada", "PHOTO": value}}, **as_alice)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "inputs.PHOTO"


def test_a_picture_is_no_clip(order_with, sent, as_alice):
    answer = order_with(sent["uploadId"], as_alice, kind="video")

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["path"] == "inputs.PHOTO"


# --- the end --------------------------------------------------------------------------------------------------------


def test_what_no_run_has_used_is_thrown_away_with_its_file(order_with, send, sent, as_alice):
    used = send(picture("b"), as_alice).json()["uploadId"]
    order_with(used, as_alice)
    key = Upload.objects.get(upload_id=sent["uploadId"]).storage_key
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert uploads.prune() == 1
    assert uploads.prune() == 0
    assert [one.upload_id for one in Upload.objects.all()] == [used]
    assert not default_storage.exists(key)
    assert default_storage.exists(Upload.objects.get().storage_key)


def test_an_upload_that_has_ended_cannot_be_named(order_with, sent, as_alice):
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    assert order_with(sent["uploadId"], as_alice).status_code == 422


def test_an_upload_that_ends_while_its_run_is_made_ends_the_run(sent):
    reference = Upload.objects.get().reference
    Upload.objects.update(discarded_at=timezone.now())

    with pytest.raises(BadInput):
        uploads.use({"PHOTO": reference})


def test_what_whoever_prunes_left_half_done_is_done_by_the_next(sent):
    Upload.objects.update(discarded_at=timezone.now(), expires_at=timezone.now() - timedelta(days=1))
    default_storage.delete(Upload.objects.get().storage_key)

    assert uploads.prune() == 1


@pytest.mark.parametrize("path", ["sign", "direct_0000000000000000/complete"])
def test_a_disk_takes_no_signed_uploads_and_the_answer_says_what_to_do(post, as_alice, path):
    answer = post(f"/api/uploads/{path}", {"contentType": "image/png", "size": 5}, **as_alice)

    assert code_of(answer) == (501, "UPLOADS_NOT_SIGNED")
    assert "/api/uploads" in answer.json()["remediation"]
