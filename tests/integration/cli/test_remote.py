import json
import socket
import threading

import pytest
from django.contrib.auth import get_user_model

from accounts.tokens import create_token
from cli.__main__ import main
from media.mock import mock_media
from runs.models import Run, Upload
from tests.integration.admin.rows import make_run
from tests.integration.recipes import DOOR
from zaps.catalogue import load_bundled

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def alice():
    return get_user_model().objects.create_user("alice", password="x")


@pytest.fixture
def server(live_server, monkeypatch, alice):
    load_bundled()
    monkeypatch.setenv("ZAP_API_URL", live_server.url + "/")
    monkeypatch.setenv("ZAP_TOKEN", create_token(alice, "laptop")[1])
    return live_server


def ended(*words):
    return main(list(words))


def told(capsys):
    return json.loads(capsys.readouterr().out)


def test_a_run_is_made_for_the_owner_of_the_token(server, alice, capsys):
    assert ended("run", "hello-film", "--input", "CREATURE=a fox", "--no-wait", "--json") == 0

    document = told(capsys)
    assert Run.objects.get(run_id=document["run"]["runId"]).owner == alice
    assert all("path" not in asset for asset in document["assets"])


def test_a_plan_of_a_slug_asks_the_server(server, capsys):
    assert ended("plan", "hello-film", "--input", "CREATURE=a fox", "--json") == 0

    assert told(capsys)["quoteUsd"] == 1.138333
    assert not Run.objects.exists()


@pytest.mark.parametrize("here", [False, True])
def test_a_large_file_is_uploaded_before_the_run_that_it_is_for(server, settings, monkeypatch, tmp_path, capsys, here):
    disk = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path / "media")}}
    settings.STORAGES = {**settings.STORAGES, "default": disk}
    if here:
        monkeypatch.delenv("ZAP_API_URL")
    recipe, photo = tmp_path / "Zap.md", tmp_path / "photo.png"
    recipe.write_text(DOOR)
    photo.write_bytes(mock_media("png", seed=1, label="x", width=64, height=64, duration_s=None) + bytes(5_000_000))

    words = ("run", str(recipe), "--input", "NAME=Ada", "--input", f"PHOTO=@{photo}", "--no-wait", "--json")
    assert ended(*words) == 0

    run, upload = Run.objects.get(run_id=told(capsys)["run"]["runId"]), Upload.objects.get()
    assert run.inputs["PHOTO"] == upload.reference
    assert upload.owner == run.owner
    assert (upload.size_bytes, upload.content_type) == (photo.stat().st_size, "image/png")


def test_a_large_file_that_is_no_media_is_refused_in_words(server, tmp_path, capsys):
    recipe, photo = tmp_path / "Zap.md", tmp_path / "photo.png"
    recipe.write_text(DOOR)
    photo.write_bytes(b"text" * 2_000_000)

    words = ("run", str(recipe), "--input", "NAME=Ada", "--input", f"PHOTO=@{photo}", "--no-wait", "--json")
    assert ended(*words) == 2

    assert told(capsys)["code"] == "UPLOAD_NOT_MEDIA"


def test_following_prints_the_address_of_the_film(server, alice, capsys):
    run = make_run(status="done", owner=alice)

    assert ended("watch", run.run_id) == 0

    assert capsys.readouterr().out == f"{run.zap_url}\n"


def test_a_run_of_somebody_else_looks_as_if_it_did_not_exist(server, capsys):
    assert ended("status", make_run().run_id, "--json") == 2

    assert told(capsys)["code"] == "NOT_FOUND"


def test_a_token_that_is_wrong_is_refused(server, monkeypatch, capsys):
    monkeypatch.setenv("ZAP_TOKEN", "zap_wrong")

    assert ended("status", "--json") == 4

    assert told(capsys)["code"] == "CREDENTIALS_REFUSED"


def test_a_server_that_is_not_there_is_told(monkeypatch, capsys):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        monkeypatch.setenv("ZAP_API_URL", f"http://127.0.0.1:{nobody.getsockname()[1]}")

        assert ended("status", "--json") == 1

    assert told(capsys)["code"] == "API_UNREACHABLE"


@pytest.mark.parametrize(
    "said",
    [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{", b"hello\r\n\r\n", b"HTTP/1.1 502 Bad\r\n\r\n\xe9"],
    ids=["it breaks off", "no HTTP", "no text"],
)
def test_an_answer_that_is_none_is_told_as_no_answer(said, monkeypatch, capsys):
    def serve():
        for _ in range(3):  # so often is tried
            line, _ = ear.accept()
            with line:
                line.recv(65536)
                line.sendall(said)

    with socket.create_server(("127.0.0.1", 0)) as ear:
        monkeypatch.setenv("ZAP_API_URL", f"http://127.0.0.1:{ear.getsockname()[1]}")
        server = threading.Thread(target=serve)
        server.start()

        assert ended("status", "--json") == 1
        server.join()

    assert told(capsys)["code"] == "API_UNREACHABLE"


@pytest.mark.parametrize("address", ["ftp://example.com", "example.com", "http://"])
def test_an_address_that_is_none_is_bad_input(address, monkeypatch, capsys):
    monkeypatch.setenv("ZAP_API_URL", address)

    assert ended("status", "--json") == 2

    assert told(capsys)["code"] == "API_URL_INVALID"


def test_a_server_that_is_not_zaps_is_told(server, monkeypatch, live_server, capsys):
    monkeypatch.setenv("ZAP_API_URL", f"{live_server.url}/admin")

    assert ended("status", "--json") == 1

    assert told(capsys)["code"] == "API_UNREACHABLE"
