"""Inputs that were given by their address, for providers that fetch none themselves."""

from dataclasses import replace

import pytest

from media.errors import RenderFailed
from media.mock import mock_media
from providers.adapters.fal import Fal
from providers.adapters.prodia import Prodia
from providers.contract import Generation, Media
from providers.errors import Rejected, Unavailable
from runs.engine.given import fetched, given_media
from tests.internet import internet
from zaps.planned import InputRef, Source

PNG, MP4 = mock_media("png", seed="1"), mock_media("mp4", seed="1")
PHOTO = "https://photos.example/a.jpg?signature=s3cret"
SCRIPT = b"ffconcat version 1.0\nfile /etc/passwd\n"


@pytest.fixture
def web(monkeypatch, tmp_path):
    with internet(monkeypatch, tmp_path) as found:
        yield found


def asking(url, **fields):
    picture = Media(content_type="image/jpeg", url=url)
    return Generation(capability="image.edit", model="m", prompt="p", images=(picture,), **fields)


def fetch(generation, provider=None):
    with fetched(generation, provider or Prodia()) as whole:
        files = [*whole.images, *whole.videos, *whole.audios]
        return [(one.content_type, one.url, one.read and one.read()) for one in files]


def refusal(generation):
    with pytest.raises((Rejected, Unavailable)) as caught:
        fetch(generation)
    assert "s3cret" not in f"{caught.value!r} {caught.value} {caught.value.extra} {caught.value.__cause__}"
    return caught.value.reason


def test_a_file_is_fetched_and_is_what_its_bytes_are(web):
    web.put(PHOTO, PNG)

    assert fetch(asking(PHOTO)) == [("image/png", None, PNG)]


def test_nothing_goes_along(web):
    web.put(PHOTO, PNG)

    fetch(asking(PHOTO))

    ((_, headers),) = web.seen
    assert {name.lower() for name in headers} <= {"host", "user-agent", "accept", "accept-encoding", "connection"}


def test_one_that_is_there_twice_is_fetched_once(web):
    web.put(PHOTO, PNG)
    generation = asking(PHOTO)

    found = fetch(replace(generation, images=generation.images * 3))

    assert (len(found), len(web.seen)) == (3, 1)


def test_a_provider_that_fetches_files_is_told_the_address(web):
    assert fetch(asking(PHOTO), Fal()) == [("image/jpeg", PHOTO, None)]
    assert web.connected == []


def test_files_that_we_have_are_left_alone(web):
    picture = Media(content_type="image/png", read=lambda: PNG)

    assert fetch(Generation(capability="image.edit", model="m", images=(picture,))) == [("image/png", None, PNG)]


def test_a_redirect_on_the_internet_is_followed(web):
    web.put(PHOTO, status=302, location="https://media.example/b.png")
    web.put("https://media.example/b.png", PNG)

    assert fetch(asking(PHOTO)) == [("image/png", None, PNG)]


@pytest.mark.parametrize(
    "where",
    [
        "http://photos.example/b.png",
        "https://photos.example:8443/b.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://inner.example/",
        "file:///etc/passwd",
        "https://user:word@photos.example/",
        "https://2130706433/",
    ],
)
@pytest.mark.parametrize("by", ["itself", "redirect"])
def test_what_is_not_on_the_internet_is_not_fetched(web, where, by):
    web.names["inner.example"] = "10.0.0.7"
    web.put(PHOTO, status=302, location=where)

    assert refusal(asking(where if by == "itself" else PHOTO)) == "INPUT_REFUSED"
    assert len(web.connected) == (by == "redirect")


def test_not_even_the_operators_own_addresses_are_looked_at(web, monkeypatch):
    monkeypatch.setenv("PRODIA_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("ZAP_ALLOW_LOOPBACK", "1")

    assert refusal(asking("http://127.0.0.1:9/file.png")) == "INPUT_REFUSED"


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"status": 404}, "INPUT_UNREACHABLE"),
        ({"status": 403}, "INPUT_UNREACHABLE"),
        ({"status": 503}, "INPUT_UNREACHABLE"),
        ({"body": b"<html>a page about the picture</html>"}, "INPUT_NOT_MEDIA"),
        ({"body": b""}, "INPUT_NOT_MEDIA"),
        ({"body": SCRIPT}, "INPUT_NOT_MEDIA"),
        ({"body": b'{"a": 1}'}, "INPUT_NOT_MEDIA"),
        ({"body": PNG[:100]}, "INPUT_NOT_MEDIA"),
        ({"body": MP4}, "INPUT_NOT_MEDIA"),
        ({"body": PNG[:33] + b"0" * 31_000_000}, "INPUT_TOO_LARGE"),
    ],
)
def test_what_cannot_be_had_says_why(web, answer, reason):
    web.put(PHOTO, **answer)

    assert refusal(asking(PHOTO)) == reason


def test_only_what_may_pass_is_tried_again(web):
    web.put(PHOTO, status=503, **{"retry-after": "7"})
    with pytest.raises(Unavailable) as caught:
        fetch(asking(PHOTO))

    assert caught.value.retry_after_s == 7
    web.put(PHOTO, status=404)
    with pytest.raises(Rejected):
        fetch(asking(PHOTO))


def test_all_files_together_have_one_clock(web, monkeypatch):
    monkeypatch.setattr("runs.policy.FETCH_S", 0.0)
    web.put(PHOTO, PNG)

    assert refusal(asking(PHOTO)) == "INPUT_UNREACHABLE"


def test_what_breaks_here_says_that_nothing_was_sent(web, monkeypatch):
    web.put(PHOTO, PNG)

    def full(path):
        raise RenderFailed("There is no room for another process.")

    monkeypatch.setattr("media.fence.probe", full)

    assert refusal(asking(PHOTO)) == "SUBMISSION_PRECONDITION_FAILED"


@pytest.mark.parametrize(
    ("media", "url", "content_type"),
    [
        ("audio", "https://x.example/listen/5", "audio/mpeg"),
        ("audio", "https://x.example/a.wav?x=.mp4", "audio/wav"),
        ("audio", "https://x.example/a.png", "audio/mpeg"),
        ("video", "https://x.example/watch", "video/mp4"),
        ("video", "https://x.example/a.WEBM", "video/webm"),
        ("image", "https://x.example/picture", "image/png"),
        ("image", "https://x.example/a.jpg", "image/jpeg"),
        ("", "https://x.example/a", "image/png"),
    ],
)
def test_an_address_leads_to_what_the_recipe_declares(media, url, content_type):
    ref = InputRef(source=Source.USER, name="FILE", media=media)

    (found,) = given_media([ref], {"FILE": url})

    assert (found.content_type, found.url) == (content_type, url)


def test_what_was_left_out_is_none():
    refs = [InputRef(source=Source.USER, name=name, media="image") for name in ("A", "B", "C")]

    assert given_media(refs, {"A": None, "B": ""}) == []
