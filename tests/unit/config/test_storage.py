import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from config import storage
from config.env import Environment


def read(address, **environ):
    env = Environment({"ZAP_STORAGE_URL": address, **environ})
    found = storage.read(env, default="file:///default/media")
    env.check()
    return found["OPTIONS"]


def refused(address):
    with pytest.raises(ImproperlyConfigured) as caught:
        read(address)
    return str(caught.value)


def test_media_is_kept_in_a_folder_and_a_name_is_written_over():
    assert read("") == {"location": "/default/media", "base_url": None, "allow_overwrite": True}
    assert read("file:///srv/my%20media/")["location"] == "/srv/my media"


def test_a_bucket_of_somebody_s_own():
    options = read(
        "s3://AKID:a%2Fb%2Bc@minio.internal:9000/media?region=eu-central-1&tls=0&public=https://m.example.com"
    )

    assert options == {
        "bucket_name": "media",
        "region_name": "eu-central-1",
        "endpoint_url": "http://minio.internal:9000",
        "addressing_style": "path",
        "public_url": "https://m.example.com",
        "takes_uploads": True,
        "access_key": "AKID",
        "secret_key": "a/b+c",
        "security_token": None,
    }


def test_a_bucket_at_aws_with_a_key_from_elsewhere():
    options = read("s3:///media?region=us-west-2&direct=0")

    assert (options["endpoint_url"], options["addressing_style"]) == (None, "virtual")
    assert options["takes_uploads"] is False
    assert not {"access_key", "secret_key", "security_token"} & set(options)


def test_the_address_may_stand_in_a_file(tmp_path):
    (tmp_path / "url").write_text("s3://AKID:word@host/media\n")

    assert read("", ZAP_STORAGE_URL_FILE=str(tmp_path / "url"))["secret_key"] == "word"


@pytest.mark.parametrize(
    ("address", "sentence"),
    [
        ("gs://media", "must begin with file:// or s3://"),
        ("/srv/media", "must begin with file:// or s3://"),
        ("s3://AKID:sesame@host", "names no bucket"),
        ("s3://AKID:sesame@host/a/b", "names no bucket"),
        ("s3://AKID:sesame@host/..", "names no bucket"),
        ("s3://AKID:sesame@host/media#x", "names no bucket"),
        ("s3://AKID:ses/ame@host/media", "is no address"),
        ("s3://AKID:sesame@ho%20st/media", "names no host"),
        ("s3://AKID:sesame@host:many/media", "is no address"),
        ("s3://AKID:sesame@[host/media", "is no address"),
        ("s3://AKID@host/media", "a key without a secret"),
        ("s3://:sesame@host/media", "a key without a secret"),
        ("s3://AKID:sesame@host/media?tsl=0", "an option that we do not know"),
        ("s3://AKID:sesame@host/media?tls=off", "a bad option"),
        ("s3://AKID:sesame@host/media?style=sesame", "a bad option"),
        ("s3://AKID:sesame@host/media?region=a b", "a bad option"),
        ("s3://AKID:sesame@host/media?public=https://a:sesame@b", "a bad option"),
        ("s3://AKID:sesame@host/media?public=media.example.com", "a bad option"),
        ("s3://AKID:sesame@host/media?public=ftp://media.example.com", "a bad option"),
        ("s3://AKID:sesame@host/media?public=https://media.example.com/path", "a bad option"),
    ],
)
def test_a_bad_address_is_refused_without_repeating_it(address, sentence):
    said = refused(address)

    assert sentence in said
    for word in ("sesame", "ses", "AKID@", "AKID:s"):
        assert word not in said.replace("addresses", "")


@given(st.text(max_size=60))
def test_whatever_stands_there_is_read_or_refused_in_a_sentence(text):
    env = Environment({"ZAP_STORAGE_URL": f"s3://AKID:{text}"})

    options = storage.read(env, default="file:///default/media")["OPTIONS"]

    assert "AKID" not in "".join(env.problems)
    assert ("bucket_name" in options) is not bool(env.problems)


def test_without_its_library_a_bucket_is_refused(monkeypatch):
    monkeypatch.setattr(storage, "find_spec", lambda name: None)

    assert "zaps[s3]" in refused("s3://AKID:sesame@host/media")
    assert read("file:///srv/media")
