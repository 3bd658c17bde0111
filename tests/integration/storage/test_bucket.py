"""What Zaps asks of any storage, asked of a bucket."""

import io
import logging
import urllib.error
import urllib.request
from datetime import timedelta

import pytest
import time_machine
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.utils import timezone

from runs.storage import StorageUnavailable, bucket, put
from tests.bucket import KEY, SECRET
from tests.integration.storage.conftest import read

PICTURE = bytes(range(256)) * 50


@pytest.fixture(autouse=True)
def _in_a_bucket(objects):
    return objects


def test_what_is_stored_is_read_again():
    name = default_storage.save("runs/r/s/1/0-abc.png", ContentFile(PICTURE))

    assert name == "runs/r/s/1/0-abc.png"
    with default_storage.open(name) as file:
        assert file.read(10) == PICTURE[:10]
        file.seek(5)
        assert file.read() == PICTURE[5:]
    assert default_storage.exists(name)
    assert default_storage.size(name) == len(PICTURE)


def test_a_large_file_goes_in_parts(objects):
    content = PICTURE * 1500

    default_storage.save("runs/large", ContentFile(content))

    assert objects["runs/large"] == content
    with default_storage.open("runs/large") as file:
        assert file.read() == content


def test_the_same_name_written_twice_is_written_over(objects):
    for content in (b"half of", b"half of it, and the rest"):
        assert default_storage.save("runs/a", ContentFile(content)) == "runs/a"

    assert objects["runs/a"] == b"half of it, and the rest"
    assert objects.keys() == ["runs/a"]


def test_what_is_not_there_is_told_as_on_a_disk():
    with pytest.raises(FileNotFoundError):
        default_storage.open("runs/none")
    with pytest.raises(FileNotFoundError):
        default_storage.size("runs/none")
    with pytest.raises(FileNotFoundError):
        default_storage.listdir("runs/none")
    with pytest.raises(FileNotFoundError):
        bucket().fetch("runs/none", io.BytesIO(), most_bytes=10)
    assert not default_storage.exists("runs/none")
    default_storage.delete("runs/none")


def test_a_folder_is_listed_without_its_folders_files():
    for name in ("runs/a/1", "runs/a/2", "runs/a/b/3"):
        default_storage.save(name, ContentFile(b"x"))

    assert default_storage.listdir("runs/a") == (["b"], ["1", "2"])


def test_a_file_that_is_there_is_not_sent_again_and_a_part_of_it_is_written_over(objects, server):
    put("runs/a", ContentFile(b"all of it"))
    server.seen.clear()
    assert put("runs/a", ContentFile(b"all of it")) == "runs/a"
    assert [method for method, _ in server.seen] == ["HEAD"]

    objects["runs/a"] = b"all"
    assert put("runs/a", ContentFile(b"all of it")) == "runs/a"
    assert objects["runs/a"] == b"all of it"


def test_a_file_that_is_larger_than_wanted_is_not_fetched_to_its_end():
    default_storage.save("runs/a", ContentFile(PICTURE * 100))
    into = io.BytesIO()

    assert bucket().fetch("runs/a", into, most_bytes=1000) > 1000
    assert len(into.getvalue()) <= 1000


# --- signed addresses -----------------------------------------------------------------------------------------------


def sign(name="runs/a", **changes):
    wanted = {"content_type": "video/mp4", "disposition": 'inline; filename="film.mp4"', "seconds": 60}
    return bucket().sign_read(name, **{**wanted, **changes})


def fetch(url, **headers):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as answer:
        return answer.status, answer.headers, answer.read()


def test_a_signed_address_gives_the_file_under_the_name_and_type_that_we_say(objects):
    objects["runs/a"] = b"<script>"

    status, headers, content = fetch(sign())

    assert (status, content) == (200, b"<script>")
    assert headers["Content-Type"] == "video/mp4"
    assert headers["Content-Disposition"] == 'inline; filename="film.mp4"'


def test_a_signed_address_gives_a_part(objects):
    objects["runs/a"] = b"0123456789"

    status, headers, content = fetch(sign(), Range="bytes=2-4")

    assert (status, content, headers["Content-Range"]) == (206, b"234", "bytes 2-4/10")


def test_a_signed_address_ends(objects):
    objects["runs/a"] = b"x"
    with time_machine.travel(timezone.now() - timedelta(seconds=90)):
        url = sign(seconds=60)

    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(url)


@pytest.mark.parametrize(
    ("old", "new"),
    [("runs/a", "runs/b"), ("X-Amz-Expires=60", "X-Amz-Expires=6000"), ("video%2Fmp4", "text%2Fhtml")],
)
def test_a_signed_address_can_not_be_changed(objects, old, new):
    objects["runs/a"] = objects["runs/b"] = b"x"
    url = sign()
    assert old in url

    with pytest.raises(urllib.error.HTTPError, match="403"):
        fetch(url.replace(old, new))


def test_where_callers_know_the_host_by_another_name_addresses_are_signed_for_that(server, settings):
    _, address = server.new_bucket()
    settings.STORAGES = {**settings.STORAGES, "default": read(f"{address}&public=https://media.example.com")}

    assert sign().startswith("https://media.example.com/media-")
    form = bucket().sign_upload("quarantine/a", content_type="image/png", size_bytes=5, seconds=60)
    assert form.url.startswith("https://media.example.com/media-")


# --- trouble --------------------------------------------------------------------------------------------------------


ASKING = {
    "open": lambda: default_storage.open("runs/a"),
    "save": lambda: default_storage.save("runs/a", ContentFile(b"x")),
    "exists": lambda: default_storage.exists("runs/a"),
    "size": lambda: default_storage.size("runs/a"),
    "delete": lambda: default_storage.delete("runs/a"),
    "list": lambda: default_storage.listdir("runs"),
    "fetch": lambda: bucket().fetch("runs/a", io.BytesIO(), most_bytes=1),
}


@pytest.mark.parametrize("ask", ASKING.values(), ids=ASKING)
def test_a_bucket_that_refuses_us_is_unavailable_in_our_own_words(server, caplog, ask):
    server.refusing = 403
    caplog.set_level(logging.DEBUG, logger="runs")

    with pytest.raises(StorageUnavailable) as caught:
        ask()

    assert caught.value.__cause__ is None
    said = str(caught.value) + caplog.text
    assert "storage=refused status=403" in said
    for secret in (KEY, SECRET, server.host, "Signature"):
        assert secret not in said


@pytest.mark.parametrize("name", ["open", "save"])
def test_a_bucket_that_is_away_is_unavailable(settings, name):
    away = read("s3://key:secret@127.0.0.1:1/media?tls=0")
    settings.STORAGES = {**settings.STORAGES, "default": away}

    with pytest.raises(StorageUnavailable):
        ASKING[name]()


def test_a_bucket_that_does_not_exist_is_unavailable_and_no_missing_file(server, settings):
    name, address = server.new_bucket()
    settings.STORAGES = {**settings.STORAGES, "default": read(address.replace(name, "nobodys"))}

    with pytest.raises(StorageUnavailable):
        default_storage.open("runs/a")
    with pytest.raises(StorageUnavailable):
        default_storage.save("runs/a", ContentFile(b"x"))


def test_the_secret_shows_nowhere():
    storage = storages["default"]

    assert SECRET not in repr(storage) + str(storage)
    form = storage.sign_upload("quarantine/a", content_type="image/png", size_bytes=5, seconds=60)
    assert form.url not in repr(form)
    assert "policy" not in repr(form)
