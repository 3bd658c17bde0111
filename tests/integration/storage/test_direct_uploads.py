"""Files that callers send to the bucket themselves, and what becomes of them."""

import threading
import urllib.error
import urllib.request
from datetime import timedelta
from io import BytesIO

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.utils import timezone

from cli.form import FileForm
from media.mock import mock_media
from runs import direct_uploads, uploads
from runs.models import DirectUpload, Run, Upload
from runs.s3 import BucketStorage
from tests.integration.recipes import DOOR
from tests.integration.storage.conftest import read
from tests.unit.media.test_fence import NOT_KEPT, REFUSED


def picture(seed="a"):
    return mock_media("png", seed=seed, label="x", width=128, height=96, duration_s=None)


SIZE = len(picture())


@pytest.fixture(autouse=True)
def landing(objects, settings, tmp_path):
    """Where files are looked at. None stays there."""
    folder = tmp_path / "landing"
    folder.mkdir()
    settings.FILE_UPLOAD_TEMP_DIR = str(folder)
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture
def sign(post, as_alice):
    def sign(size=SIZE, content_type="image/png", headers=as_alice, **more):
        return post("/api/uploads/sign", {"contentType": content_type, "size": size, **more}, **headers)

    return sign


@pytest.fixture
def complete(post, as_alice):
    def complete(signed, headers=as_alice):
        return post(f"/api/uploads/{signed['id']}/complete", **headers)

    return complete


def send(signed, content, **changes):
    """POST it to the bucket, as a browser would; returns the status."""
    form = FileForm(BytesIO(content), size=len(content), fields={**signed["formFields"], **changes})
    try:
        with urllib.request.urlopen(urllib.request.Request(signed["url"], data=form, headers=form.headers)) as answer:
            return answer.status
    except urllib.error.HTTPError as exc:
        with exc:
            return exc.code


@pytest.fixture
def sent(sign):
    signed = sign().json()
    assert send(signed, picture()) == 200
    return signed


def code_of(answer):
    return answer.status_code, answer.json()["code"]


def test_a_file_that_was_sent_to_the_bucket_is_described_as_one_that_was_sent_to_us(
    sent, complete, objects, alice, client, as_alice
):
    answer = complete(sent)

    assert answer.status_code == 201, answer.content
    row = Upload.objects.get()
    assert row.owner == alice
    assert objects.keys() == [row.storage_key] == [f"uploads/{row.upload_id}/{row.sha256}"]
    assert objects[row.storage_key] == picture()
    again = client.post("/api/uploads", {"file": BytesIO(picture())}, headers=as_alice).json()
    assert {**again, "expiresAt": 0} == {**answer.json(), "expiresAt": 0}


def test_the_form_is_for_one_place_and_is_kept_by_nobody(sign, objects):
    answer = sign(name="walk.png")

    signed = answer.json()
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    assert signed["formFields"]["key"] == f"quarantine/{signed['id']}"
    assert signed["completeUrl"].endswith(f"/api/uploads/{signed['id']}/complete")
    assert 840 < signed["expiresAt"] / 1000 - timezone.now().timestamp() < 910
    assert objects.keys() == []


@pytest.mark.parametrize(
    ("content", "changes"),
    [
        (picture()[:-1], {}),
        (picture() + b"x", {}),
        (picture(), {"key": "uploads/mine"}),
        (picture(), {"Content-Type": "text/html"}),
        (picture(), {"acl": "public-read"}),
        (picture(), {"policy": "e30="}),
    ],
    ids=["shorter", "longer", "elsewhere", "another type", "for everybody", "another policy"],
)
def test_the_bucket_takes_nothing_but_what_was_signed(sign, complete, objects, content, changes):
    signed = sign().json()

    assert send(signed, content, **changes) in (400, 403)

    assert objects.keys() == []
    assert code_of(complete(signed)) == (409, "UPLOAD_NOT_ARRIVED")


def test_a_form_ends_after_a_quarter_of_an_hour(sign):
    signed = sign().json()

    with time_machine.travel(timezone.now() + timedelta(seconds=direct_uploads.FORM_S + 5)):
        assert send(signed, picture()) == 403


@pytest.mark.parametrize("content", {**REFUSED, **NOT_KEPT}.values(), ids={**REFUSED, **NOT_KEPT})
def test_a_hostile_file_is_refused_and_is_gone(sign, complete, objects, content):
    signed = sign(size=len(content) or 1).json()
    objects[f"quarantine/{signed['id']}"] = content

    assert code_of(complete(signed)) in {(422, "UPLOAD_NOT_MEDIA"), (413, "UPLOAD_TOO_LARGE")}

    assert objects.keys() == []
    assert not Upload.objects.exists()
    assert code_of(complete(signed)) == (404, "NOT_FOUND")


def test_a_bucket_that_lets_more_in_than_was_announced_helps_nobody(sign, complete, objects, monkeypatch):
    wanted, fetch = [], BucketStorage.fetch

    def noted(*args, most_bytes):
        wanted.append(most_bytes)
        return fetch(*args, most_bytes=most_bytes)

    monkeypatch.setattr(BucketStorage, "fetch", noted)
    signed = sign(size=SIZE - 1).json()
    objects[f"quarantine/{signed['id']}"] = picture()

    assert code_of(complete(signed)) == (413, "UPLOAD_TOO_LARGE")
    assert wanted == [SIZE - 1]
    assert objects.keys() == []


def test_a_picture_that_was_announced_as_a_clip_is_no_larger_than_a_picture_may_be(sign, complete, monkeypatch):
    monkeypatch.setenv("ZAP_MAX_IMAGE_MB", "1")
    content = picture() + bytes(1_000_000)
    signed = sign(size=len(content), content_type="video/mp4").json()
    assert send(signed, content) == 200

    assert code_of(complete(signed)) == (413, "UPLOAD_TOO_LARGE")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ({"size": 0}, (422, "INVALID_REQUEST")),
        ({"size": "5"}, (422, "INVALID_REQUEST")),
        ({"size": 10**18}, (413, "UPLOAD_TOO_LARGE")),
        ({"content_type": "application/json"}, (422, "UPLOAD_NOT_MEDIA")),
        ({"content_type": "image/svg+xml"}, (422, "UPLOAD_NOT_MEDIA")),
        ({"content_type": "image/png\r\nx: y"}, (422, "UPLOAD_NOT_MEDIA")),
        ({"key": "uploads/mine"}, (422, "INVALID_REQUEST")),
    ],
)
def test_what_would_be_refused_is_not_signed(sign, said, answer):
    assert code_of(sign(**said)) == answer
    assert not DirectUpload.objects.exists()


# --- once, and by its owner -----------------------------------------------------------------------------------------


def test_whoever_lost_the_answer_gets_the_same(sent, complete, objects):
    first, second = complete(sent), complete(sent)

    assert (second.status_code, second.json()) == (201, first.json())
    assert len(objects.keys()) == 1


def test_what_arrives_after_it_was_looked_at_changes_nothing_and_is_thrown_away(sent, complete, objects):
    upload = complete(sent).json()
    other = picture("b")
    objects[f"quarantine/{sent['id']}"] = other

    assert complete(sent).json() == upload
    assert objects[Upload.objects.get().storage_key] == picture()
    with time_machine.travel(timezone.now()):
        DirectUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert direct_uploads.prune() == 1
    assert objects.keys() == [Upload.objects.get().storage_key]


@pytest.mark.django_db(transaction=True)
def test_of_two_who_complete_it_at_once_one_does(sent, complete, as_alice, monkeypatch):
    begun, go_on, answers = threading.Event(), threading.Event(), []
    looked = uploads.keep

    def slowly(*args):
        begun.set()
        assert go_on.wait(20)
        return looked(*args)

    def first():
        answers.append(Client().post(f"/api/uploads/{sent['id']}/complete", headers=as_alice))
        connection.close()

    monkeypatch.setattr("runs.uploads.keep", slowly)
    thread = threading.Thread(target=first)
    thread.start()
    assert begun.wait(20)

    meanwhile = complete(sent)
    go_on.set()
    thread.join()

    assert code_of(meanwhile) == (409, "UPLOAD_BUSY")
    assert answers[0].status_code == 201
    assert Upload.objects.count() == 1


def test_whoever_died_over_it_keeps_it_for_some_minutes_only(sent, complete):
    DirectUpload.objects.update(lease_until=timezone.now() + timedelta(minutes=5))
    assert code_of(complete(sent)) == (409, "UPLOAD_BUSY")

    DirectUpload.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert complete(sent).status_code == 201


def test_nobody_else_completes_it(sent, complete, as_bob, objects):
    assert code_of(complete(sent, as_bob)) == (404, "NOT_FOUND")
    assert code_of(complete({"id": "direct_0000000000000000"})) == (404, "NOT_FOUND")
    assert complete(sent, {}).status_code == 401
    assert objects.keys() == [f"quarantine/{sent['id']}"]


@pytest.mark.usefixtures("open_doors")
def test_where_the_mock_is_open_a_stranger_sends_for_their_own_session(sign, complete):
    ours, others = {"X-Zap-Session": "one"}, {"X-Zap-Session": "two"}
    assert code_of(sign(size=uploads.ANONYMOUS_BYTES + 1, headers=ours)) == (413, "UPLOAD_TOO_LARGE")
    signed = sign(headers=ours).json()
    send(signed, picture())

    assert code_of(complete(signed, others)) == (404, "NOT_FOUND")
    assert complete(signed, ours).status_code == 201


def test_a_stranger_announces_nothing_where_the_mock_is_closed(sign, settings):
    settings.ZAP_OPEN_MODES = ()

    assert code_of(sign(headers={})) == (401, "NOT_AUTHENTICATED")


# --- how much -------------------------------------------------------------------------------------------------------


def test_what_was_announced_counts_until_it_has_ended(sign, sent, complete, monkeypatch):
    monkeypatch.setattr(uploads, "_OWNER_UNUSED_BYTES", 1_000_000 + len(picture()) - 1)
    assert code_of(sign()) == (429, "UPLOAD_QUOTA")

    complete(sent)
    monkeypatch.setattr(uploads, "_OWNER_UNUSED_BYTES", 2 * len(picture()))
    assert sign().status_code == 201


def test_a_share_that_was_used_up_meanwhile_leaves_it_where_it_is(sent, complete, objects, monkeypatch):
    share = uploads._OWNER_UNUSED_BYTES
    monkeypatch.setattr(uploads, "_OWNER_UNUSED_BYTES", 10)
    assert code_of(complete(sent)) == (429, "UPLOAD_QUOTA")

    monkeypatch.setattr(uploads, "_OWNER_UNUSED_BYTES", share)
    assert complete(sent).status_code == 201


# --- the end --------------------------------------------------------------------------------------------------------


def test_what_was_never_completed_is_thrown_away(sent, sign, complete, objects):
    never_sent = sign().json()
    DirectUpload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert code_of(complete(sent)) == (404, "NOT_FOUND")

    assert direct_uploads.prune() == 2
    assert direct_uploads.prune() == 0
    assert objects.keys() == []
    assert code_of(complete(never_sent)) == (404, "NOT_FOUND")


def test_nothing_that_waits_is_pruned(sent, complete):
    assert direct_uploads.prune() == 0
    assert complete(sent).status_code == 201


def test_a_run_cannot_be_given_what_was_not_looked_at(sent, complete, post, as_alice):
    def order(value):
        return post("/api/zaps/run", {"source": DOOR, "inputs": {"NAME": "Ada", "PHOTO": value}}, **as_alice)

    for value in (f"upload:{sent['id']}", f"input:quarantine/{sent['id']}|image/png"):
        assert order(value).status_code == 422

    assert order(f"upload:{complete(sent).json()['uploadId']}").status_code == 202
    assert Run.objects.get().inputs["PHOTO"].startswith("input:uploads/")


# --- trouble --------------------------------------------------------------------------------------------------------


def test_a_bucket_that_is_away_for_a_while_is_told_and_nothing_is_lost(sent, sign, complete, server):
    server.refusing = 403
    assert code_of(complete(sent)) == (503, "STORAGE_UNAVAILABLE")

    server.refusing = None
    assert complete(sent).status_code == 201


def test_a_bucket_without_forms_is_as_a_disk(server, settings, sign):
    _, address = server.new_bucket()
    settings.STORAGES = {**settings.STORAGES, "default": read(f"{address}&direct=0")}

    assert code_of(sign()) == (501, "UPLOADS_NOT_SIGNED")
