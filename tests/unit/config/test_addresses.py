import pytest
from django.core.exceptions import ImproperlyConfigured

from config import addresses


def test_a_database_on_a_host():
    found = addresses.database("postgresql://me:p%40ss@db.example.com:6432/my%20zaps?sslmode=require")

    assert found == {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "my zaps",
        "USER": "me",
        "PASSWORD": "p@ss",
        "HOST": "db.example.com",
        "PORT": "6432",
        "OPTIONS": {"sslmode": "require"},
    }


def test_a_database_on_a_socket():
    found = addresses.database("postgresql:///zaps?host=/tmp/a%20b&user=me")

    assert (found["HOST"], found["USER"], found["NAME"], found["PORT"]) == ("/tmp/a b", "me", "zaps", "")


@pytest.mark.parametrize("url", ["postgresql://me:secret@host", "postgresql://me:secret@host:port/db"])
def test_a_database_address_that_cannot_work_is_refused_without_its_password(url):
    with pytest.raises(ImproperlyConfigured) as refusal:
        addresses.database(url)

    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("given", "for_celery", "for_redis"),
    [
        ("unix:///run/a.sock", "redis+socket:///run/a.sock?virtual_host=0", "unix:///run/a.sock?db=0"),
        ("unix:///run/a.sock?db=3", "redis+socket:///run/a.sock?virtual_host=3", "unix:///run/a.sock?db=3"),
        ("redis+socket:///r/a?virtual_host=2", "redis+socket:///r/a?virtual_host=2", "unix:///r/a?db=2"),
        ("redis://:pw@host:6379/1", "redis://:pw@host:6379/1", "redis://:pw@host:6379/1"),
        ("rediss://host:6380/0", "rediss://host:6380/0", "rediss://host:6380/0"),
    ],
)
def test_one_redis_address_in_the_words_of_each_library(given, for_celery, for_redis):
    assert addresses.redis_for_celery(given) == for_celery
    assert addresses.redis_for_redis(given) == for_redis
