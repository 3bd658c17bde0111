"""The one way by which results come in, against hosts that mean ill."""

import asyncio
import hashlib
import io
import socket
import struct
import time
import wave

import pytest
from PIL import Image

from providers.contract import Output, Provider
from providers.download import Limits, admit, download
from providers.emulator.media import content
from providers.emulator.wire import Answer, reply
from providers.errors import OutputExpired, OutputInvalid, OutputRefused, OutputTooLarge, OutputUnavailable

LOOSE = Limits(allow_loopback=True, seconds=5)


def png(side=8):
    file = io.BytesIO()
    Image.new("RGB", (side, side), "red").save(file, "PNG")
    return file.getvalue()


def wav():
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(struct.pack("<100h", *range(100)))
    return file.getvalue()


class Vendor(Provider):
    name = "vendor"
    default_base_url = "https://api.vendor.example"
    media_hosts = (".media.example", "files.example")

    def default_model(self, capability):
        return None

    def check(self, generation):
        return []

    def submit(self, generation, *, key, idem_key):
        yield

    def poll(self, job, *, key):
        yield

    def download_headers(self, key):
        return {"Authorization": f"Bearer {key}"}


@pytest.fixture
def fetch(tmp_path):
    """Downloads from the vendor whose origin is `server`."""

    def fetch(server, path="/file.mp4", *, limits=LOOSE, **fields):
        beat = fields.pop("beat", lambda: None)
        output = Output(url=f"{server.url}{path}", **fields)
        return download(output, tmp_path, provider=Vendor(server.url), key="k", beat=beat, limits=limits)

    return fetch


# --- addresses -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn.media.example/a.png",
        "https://files.example/a.png?signature=1",
        "https://files.example:443/a.png",
        "https://CDN.MEDIA.example/a.png",
        "https://api.vendor.example/files/1",
    ],
)
def test_an_address_of_the_vendor_is_admitted(url):
    assert admit(url, Vendor(), Limits()) is False


@pytest.mark.parametrize(
    "url",
    [
        "",
        "files.example/a.png",
        "http://files.example/a.png",
        "ftp://files.example/a.png",
        "file:///etc/passwd",
        "gopher://files.example/",
        "https://files.example:8443/a.png",
        "https://files.example:99999/",
        "https://evil.example/a.png",
        "https://files.example.evil.example/",
        "https://evilfiles.example/",
        "https://media.example/",
        "https://files.example./a.png",
        "https://files.example@evil.example/",
        "https://user:word@files.example/",
        "https://evil.example\\@files.example/",
        "https://files.example\\.evil.example/",
        "https://files.example/a b",
        "https://files.example/\r\nHost: evil.example",
        "https://f\u0131les.example/",
        "https://127.0.0.1/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://169.254.169.254/latest/meta-data/",
        "https://localhost/",
        "https://api.vendor.example.evil.example/",
        "http://127.0.0.1:8000/",
        "https://",
        "https:///a.png",
        "//files.example/a.png",
    ],
)
def test_an_address_of_anybody_else_is_refused(url):
    with pytest.raises(OutputRefused):
        admit(url, Vendor(), LOOSE)


def test_loopback_is_admitted_only_at_the_vendor_s_own_origin_and_only_when_it_is_allowed():
    vendor = Vendor("http://127.0.0.1:8901")

    assert admit("http://127.0.0.1:8901/media/1", vendor, LOOSE) is True
    with pytest.raises(OutputRefused):
        admit("http://127.0.0.1:8901/media/1", vendor, Limits())
    with pytest.raises(OutputRefused):
        admit("http://127.0.0.1:8902/media/1", vendor, LOOSE)
    with pytest.raises(OutputRefused):
        admit("http://127.0.0.1:89011/media/1", vendor, LOOSE)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "192.168.1.1", "100.64.0.1"])
def test_a_name_that_resolves_to_a_private_address_is_refused(monkeypatch, tmp_path, address):
    def resolve(host, port, *args, **kwargs):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)

    with pytest.raises(OutputRefused):
        download(Output(url="https://files.example/a.png"), tmp_path, provider=Vendor(), limits=LOOSE)


@pytest.mark.parametrize(
    "where", ["http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "https://evil.example/"]
)
def test_a_redirect_is_judged_like_the_address_itself(serve, fetch, where):
    server = serve(reply({}, 302, location=where))

    with pytest.raises(OutputRefused):
        fetch(server)


def test_a_redirect_to_another_port_of_loopback_is_refused(serve, fetch):
    other = serve(Answer(body=png()))
    server = serve(reply({}, 302, location=f"{other.url}/secret"))

    with pytest.raises(OutputRefused):
        fetch(server)
    assert other.requests == []


def test_three_redirects_are_followed_and_a_fourth_is_not(serve, fetch):
    def handle(request):
        left = int(request.path[1:])
        return Answer(body=png()) if left == 0 else reply({}, 302, location=f"/{left - 1}")

    server = serve(handle)

    assert fetch(server, "/3").kind == "png"
    with pytest.raises(OutputRefused):
        fetch(server, "/4")


# --- the key -------------------------------------------------------------------------------------------------------


def test_the_key_goes_along_only_where_it_is_wanted(serve, fetch):
    server = serve(Answer(body=png()))

    fetch(server)
    fetch(server, authorized=True)

    assert [request.headers.get("authorization") for request in server.requests] == [None, "Bearer k"]


def test_the_key_is_dropped_at_a_redirect(serve, fetch):
    server = serve(lambda request: Answer(body=png()) if request.path == "/b" else reply({}, 302, location="/b"))

    fetch(server, "/a", authorized=True)

    assert [request.headers.get("authorization") for request in server.requests] == ["Bearer k", None]


# --- bodies --------------------------------------------------------------------------------------------------------


def test_a_file_arrives_whole_and_is_known_by_its_bytes(serve, fetch, tmp_path):
    server = serve(Answer(body=png(), content_type="text/html"))

    got = fetch(server, "/film.mp4")

    assert (got.kind, got.content_type, got.bytes) == ("png", "image/png", len(png()))
    assert got.path.read_bytes() == png()
    assert got.sha256 == hashlib.sha256(png()).hexdigest()


@pytest.mark.parametrize(
    ("body", "kind", "content_type"),
    [
        (content("mp4", 0.2), "mp4", "video/mp4"),
        (wav(), "wav", "audio/wav"),
        (b"\xff\xfb\x90\x00" + b"\x00" * 400, "wav", "audio/mpeg"),
        (b"ID3\x04" + b"\x00" * 400, "wav", "audio/mpeg"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF" + b"\x00" * 400, "png", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 " + b"\x00" * 400, "png", "image/webp"),
        (b"\x00\x00\x00\x18ftypqt  " + b"\x00" * 400, "mp4", "video/quicktime"),
        (b"\x1aE\xdf\xa3" + b"\x00" * 20 + b"webm" + b"\x00" * 400, "mp4", "video/webm"),
        (b' {"words": []}', "json", "application/json"),
    ],
    ids=["mp4", "wav", "mp3", "mp3-id3", "jpeg", "webp", "mov", "webm", "json"],
)
def test_each_class_of_media_is_known(serve, fetch, body, kind, content_type):
    got = fetch(serve(Answer(body=body, content_type="application/octet-stream")))

    assert (got.kind, got.content_type) == (kind, content_type)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<!doctype html><title>Sign in</title>",
        b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"#EXTM3U\nhttp://169.254.169.254/\n",
        b"\x1f\x8b\x08\x00" + b"\x00" * 400,
        b"PK\x03\x04" + b"\x00" * 400,
        b"%PDF-1.7" + b"\x00" * 400,
        b"\x7fELF" + b"\x00" * 400,
        b"{not json",
        b"\x00" * 500,
    ],
    ids=["empty", "html", "svg", "ffconcat", "m3u8", "gzip", "zip", "pdf", "elf", "broken json", "zeros"],
)
def test_what_is_no_media_is_refused_for_good_whatever_it_is_called(serve, fetch, tmp_path, body):
    server = serve(Answer(body=body, content_type="video/mp4"))

    with pytest.raises(OutputInvalid) as caught:
        fetch(server)

    assert (caught.value.code, caught.value.retryable) == ("OUTPUT_VALIDATION_FAILED", False)
    assert list(tmp_path.iterdir()) == []


def test_a_compressed_body_is_not_inflated(serve, fetch):
    answer = Answer(body=b"\x1f\x8b\x08\x00" + b"\x00" * 400, headers={"content-encoding": "gzip"})
    server = serve(answer)

    with pytest.raises(OutputInvalid):
        fetch(server)

    assert server.requests[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("honest", [True, False])
def test_a_body_above_its_class_s_cap_is_cut_off(serve, fetch, tmp_path, honest):
    async def pieces():
        yield png()
        while True:
            yield b"\x00" * 10_000
            await asyncio.sleep(0.01)

    server = serve(lambda _: Answer(body=png() + b"\x00" * 1_000_000) if honest else Answer(events=pieces()))

    with pytest.raises(OutputTooLarge):
        fetch(server, limits=Limits(allow_loopback=True, image_bytes=50_000, seconds=30))

    assert list(tmp_path.iterdir()) == []


def test_each_class_has_its_own_cap(serve, fetch):
    server = serve(Answer(body=wav()))

    assert fetch(server, limits=Limits(allow_loopback=True, image_bytes=10)).kind == "wav"
    with pytest.raises(OutputTooLarge):
        fetch(server, limits=Limits(allow_loopback=True, audio_bytes=10))


def test_a_body_that_drips_is_cut_off_by_the_clock(serve, fetch):
    server = serve(Answer(body=png() * 100, drip_s=0.05))
    begun = time.monotonic()

    with pytest.raises(OutputUnavailable) as caught:
        fetch(server, limits=Limits(allow_loopback=True, seconds=0.5))

    assert time.monotonic() - begun < 3
    assert caught.value.retryable


def test_a_host_that_says_nothing_is_cut_off_by_the_clock(serve, fetch):
    server = serve(Answer(body=png(), delay_s=30))
    begun = time.monotonic()

    with pytest.raises(OutputUnavailable):
        fetch(server, limits=Limits(allow_loopback=True, seconds=0.5))

    assert time.monotonic() - begun < 3


def test_a_body_without_a_length_that_the_clock_cuts_off_is_not_taken_for_whole(serve, fetch, tmp_path):
    async def pieces():
        yield png()
        await asyncio.sleep(30)

    server = serve(lambda _: Answer(events=pieces()))

    with pytest.raises(OutputUnavailable):
        fetch(server, limits=Limits(allow_loopback=True, seconds=0.5))

    assert list(tmp_path.iterdir()) == []


def test_a_body_that_breaks_off_may_be_fetched_again(serve, fetch, tmp_path):
    server = serve(Answer(body=png(64) + b"\x00" * 500, cut_after=60))

    with pytest.raises(OutputUnavailable):
        fetch(server)

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, OutputExpired), (403, OutputExpired), (404, OutputExpired), (410, OutputExpired)]
    + [(status, OutputUnavailable) for status in (400, 408, 429, 500, 502, 503, 204)],
)
def test_a_host_that_does_not_deliver(serve, fetch, status, kind):
    server = serve(reply({}, status))

    with pytest.raises(kind):
        fetch(server)


def test_a_host_that_is_not_there_may_be_asked_again(closed_port, tmp_path):
    with pytest.raises(OutputUnavailable):
        download(Output(url=f"{closed_port}/a"), tmp_path, provider=Vendor(closed_port), limits=LOOSE)


def test_what_the_beat_raises_ends_the_download(serve, fetch, tmp_path, monkeypatch):
    class LeaseLost(Exception):
        pass

    def beat():
        raise LeaseLost

    monkeypatch.setattr("providers.download._BEAT_EVERY_S", 0)
    server = serve(Answer(body=png()))

    with pytest.raises(LeaseLost):
        fetch(server, beat=beat)

    assert list(tmp_path.iterdir()) == []


# --- without a network ---------------------------------------------------------------------------------------------


def test_bytes_that_came_with_the_answer_are_written(tmp_path):
    got = download(Output(content=png()), tmp_path, provider=Vendor())

    assert (got.kind, got.path.read_bytes()) == ("png", png())


def test_a_data_address_is_decoded(tmp_path):
    url = "data:video/mp4;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAAB"

    assert download(Output(url=url), tmp_path, provider=Vendor()).kind == "png"


@pytest.mark.parametrize(
    "url", ["data:", "data:image/png;base64,***", "data:image/png;base64,AAAA", "data:text/html,<b>"]
)
def test_a_data_address_that_holds_no_media_is_refused(tmp_path, url):
    with pytest.raises(OutputInvalid):
        download(Output(url=url), tmp_path, provider=Vendor())


def test_a_data_address_has_a_cap(tmp_path):
    with pytest.raises(OutputTooLarge):
        download(
            Output(url="data:image/png;base64," + "AAAA" * 100),
            tmp_path,
            provider=Vendor(),
            limits=Limits(inline_bytes=200),
        )


def test_an_output_of_nothing_is_refused(tmp_path):
    with pytest.raises(OutputRefused):
        download(Output(), tmp_path, provider=Vendor())


def test_limits_come_from_the_environment():
    limits = Limits.of({"ZAP_MAX_IMAGE_MB": "1", "ZAP_MAX_VIDEO_MB": "2", "ZAP_ALLOW_LOOPBACK": "1"})

    assert (limits.image_bytes, limits.audio_bytes, limits.video_bytes) == (1_000_000, 50_000_000, 2_000_000)
    assert limits.allow_loopback
    assert Limits.of({"ZAP_ALLOW_LOOPBACK": "True"}).allow_loopback
    assert not Limits.of({"ZAP_ALLOW_LOOPBACK": "0"}).allow_loopback
    assert not Limits.of({}).allow_loopback


def test_no_error_repeats_the_address(serve, fetch):
    server = serve(reply({}, 500))

    with pytest.raises(OutputUnavailable) as caught:
        fetch(server, "/a?signature=secret")

    assert "secret" not in f"{caught.value!r} {caught.value.extra}"
