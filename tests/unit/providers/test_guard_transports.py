"""Both transports, against names, servers and answers that mean ill."""

import gzip
import socket
import threading
import time
import zlib

import pytest

from providers.contract import Call, Provider
from providers.emulator.wire import Answer, reply
from providers.errors import AddressRefused, KeyRefused, NotSent, SubmissionUnknown, Unavailable
from providers.home import Home
from tests.unit.providers.test_transports import call, converse, one  # noqa: F401 (a fixture)

VENDOR = Home().and_at("https://api.vendor.example", is_named=False)
KEY = {"Authorization": "Bearer k"}


def ask(url, home=VENDOR, method="GET", **fields):
    return (yield Call(method=method, url=url, home=home, **fields))


@pytest.fixture
def resolve(monkeypatch):
    """Lets every name resolve to some addresses, and tells which were connected to."""
    connected = []

    def resolve(*addresses):
        def getaddrinfo(host, port, *args, **kwargs):
            return [
                (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (one, port, 0, 0))
                if ":" in one
                else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
                for one in addresses
            ]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return connected

    def connect(self, address):
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket.socket, "connect", connect)
    return resolve


@pytest.mark.parametrize("paid", [False, True])
@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "100.64.0.1", "64:ff9b::7f00:1", "::1"]
)
def test_a_name_that_resolves_to_a_private_address_is_not_connected_to(resolve, converse, address, paid):  # noqa: F811
    connected = resolve(address)

    with pytest.raises(AddressRefused):
        converse(ask("https://api.vendor.example/v1", method="POST", headers=KEY, paid=paid))

    assert connected == []


@pytest.mark.parametrize(
    "url",
    ["http://api.vendor.example/", "https://evil.example/", "https://127.0.0.1/", "https://api.vendor.example:8443/"],
)
def test_a_call_that_would_take_the_key_elsewhere_is_not_made(resolve, converse, url):  # noqa: F811
    connected = resolve("8.8.8.8")

    with pytest.raises(AddressRefused):
        converse(ask(url, headers=KEY))

    assert connected == []


@pytest.mark.parametrize("paid", [False, True])
@pytest.mark.parametrize("key", ["ключ", "first\nsecond", "nul\x00", "\udc80"])
def test_a_key_that_no_header_can_carry_is_refused_and_not_repeated(serve, converse, key, paid):  # noqa: F811
    server = serve(reply({}))
    home = Home.named_by_operator(server.url)

    with pytest.raises(KeyRefused) as caught:
        converse(ask(server.url, home, method="POST", headers={"Authorization": f"Key {key}"}, paid=paid))

    assert (server.requests, key in f"{caught.value!r} {caught.value}") == ([], False)


def test_a_call_of_nobody_s_home_carries_nothing(serve, converse):  # noqa: F811
    server = serve(reply({}))

    with pytest.raises(AddressRefused):
        converse(ask(server.url, Home()))

    assert server.opened == 0


def test_an_adapter_hears_of_a_refusal_where_it_stands(serve, converse):  # noqa: F811
    server = serve(reply({}))

    def talk():
        try:
            yield Call(method="GET", url="http://169.254.169.254/")
        except AddressRefused:
            return (yield call("GET", server.url)).status

    assert converse(talk()) == 200


@pytest.mark.parametrize("paid", [False, True])
@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_packed_answer_counts_as_what_it_becomes(serve, converse, encoding, pack, paid):  # noqa: F811
    server = serve(lambda _: Answer(body=pack(b"x" * 2000), headers={"content-encoding": encoding}))

    assert converse(one("POST", server.url, paid=paid, most_bytes=2000)).body == b"x" * 2000
    with pytest.raises(SubmissionUnknown if paid else Unavailable):
        converse(one("POST", server.url, paid=paid, most_bytes=1999))


BOMB = gzip.compress(bytes(50_000_000), 1)


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", BOMB),
        ("gzip", BOMB[:500]),
        ("gzip", b"nonsense"),
        ("br", b"anything"),
        ("gzip, gzip", gzip.compress(BOMB)),
    ],
    ids=["bomb", "cut off", "not packed", "unknown", "twice"],
)
def test_an_answer_that_cannot_be_unpacked_within_bounds_is_none(serve, converse, encoding, body):  # noqa: F811
    server = serve(Answer(body=body, headers={"content-encoding": encoding}))

    with pytest.raises(Unavailable):
        converse(one("POST", server.url), timeout_s=5)


@pytest.fixture
def dripping():
    """A server that sends one header line every 50 ms, for ever."""
    listening, stop = socket.create_server(("127.0.0.1", 0)), threading.Event()

    def answer():
        taken, _ = listening.accept()
        with taken:
            taken.recv(65536)
            taken.sendall(b"HTTP/1.1 200 OK\r\n")
            try:
                while not stop.wait(0.05):
                    taken.sendall(b"X: y\r\n")
            except OSError:
                return

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    stop.set()
    listening.close()
    thread.join(5)


@pytest.mark.parametrize(("paid", "error"), [(False, Unavailable), (True, SubmissionUnknown)])
def test_headings_that_drip_are_cut_off_by_the_clock(dripping, converse, paid, error):  # noqa: F811
    begun = time.monotonic()

    with pytest.raises(error):
        converse(one("POST", dripping, paid=paid), timeout_s=0.5)

    assert time.monotonic() - begun < 3


@pytest.mark.parametrize(
    "headers", [{"x-long": "y" * 70_000}, {f"x-{number}": "y" for number in range(200)}], ids=["long", "many"]
)
def test_too_much_heading_is_no_answer(serve, converse, headers):  # noqa: F811
    server = serve(Answer(body=b"{}", headers=headers))

    with pytest.raises(Unavailable):
        converse(one("POST", server.url))


def test_a_name_that_does_not_resolve_means_that_nothing_was_sent(monkeypatch, converse):  # noqa: F811
    def nobody(*args, **kwargs):
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)

    with pytest.raises(NotSent):
        converse(ask("https://api.vendor.example/v1", method="POST", headers=KEY, paid=True))


class Vendor(Provider):
    name = "vendor"
    default_base_url = "https://api.vendor.example"

    def default_model(self, capability):
        return None

    def check(self, generation):
        return []

    def submit(self, generation, *, key, idem_key, callback_url=None):
        yield Call(method="POST", url=f"{self.base_url}/jobs", headers=KEY, paid=True)

    def poll(self, job, *, key):
        try:
            yield Call(method="GET", url="https://elsewhere.example/", headers=KEY)
        except AddressRefused:
            return (yield Call(method="GET", url=f"{self.base_url}/jobs/1", headers=KEY)).status


def test_whoever_holds_a_conversation_is_told_where_its_adapter_is_at_home():
    vendor = Vendor("http://127.0.0.1:8188")

    submission, talk = vendor.submit(None, key="k", idem_key="i"), vendor.poll(None, key="k")

    assert [next(submission).home, next(talk).home] == [vendor.home] * 2
    assert talk.throw(AddressRefused()).home == Home.named_by_operator("http://127.0.0.1:8188")
    assert Vendor().home == VENDOR


def test_an_adapter_s_key_does_not_go_elsewhere(serve, converse):  # noqa: F811
    server = serve(reply({}))

    assert converse(Vendor(server.url).poll(None, key="k")) == 200
    assert [request.path for request in server.requests] == ["/jobs/1"]
