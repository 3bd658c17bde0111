"""The command line sends large files to the bucket itself, where it can."""

import pytest

from accounts.tokens import create_token
from cli.client import HttpClient
from media.mock import mock_media
from runs.models import DirectUpload, Upload
from tests.integration.storage.conftest import read

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def photo(tmp_path):
    path = tmp_path / "photo.png"
    path.write_bytes(mock_media("png", seed=1, label="x", width=64, height=64, duration_s=None) + bytes(100_000))
    return path


@pytest.fixture
def client(objects, live_server, alice):
    return HttpClient(base_url=live_server.url, token=create_token(alice, "laptop")[1])


def sent_to(server, path="/media-"):
    return [one for one in server.seen if one[0] == "POST" and one[1].startswith(path)]


def test_a_file_goes_past_the_server(client, photo, server, objects):
    server.seen.clear()

    value = client.send(photo)

    upload = Upload.objects.get()
    assert value == f"upload:{upload.upload_id}"
    assert DirectUpload.objects.get().upload == upload
    assert len(sent_to(server)) == 1
    assert objects[upload.storage_key] == photo.read_bytes()


def test_where_the_bucket_cannot_be_reached_the_server_takes_it(client, photo, server, settings):
    _, address = server.new_bucket()
    settings.STORAGES = {**settings.STORAGES, "default": read(f"{address}&public=http://127.0.0.1:1")}
    server.seen.clear()

    client.send(photo)

    assert DirectUpload.objects.get().upload is None
    assert Upload.objects.get().size_bytes == photo.stat().st_size
    assert not sent_to(server)


def test_the_token_stays_between_us_and_the_server(client, photo, server):
    client.send(photo)

    assert not [one for one in server.tokens if one.startswith("Bearer")]
