"""The rules for what leaves: hostile spellings, private addresses, and a key that must stay at home."""

import socket
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requests_hardened.ip_filter import EXTRA_BLOCKED_NET_RANGES

from providers.errors import AddressRefused
from providers.guard import admit, is_public_address, is_public_name, read
from providers.home import Home

VENDOR = Home(hosts=(".media.example", "files.example")).and_at("https://api.vendor.example", is_named=False)
KEY = ("Authorization", "Accept-Encoding", "User-Agent")

HOSTILE = [
    "",
    "files.example/a.png",
    "//files.example/a.png",
    "https://",
    "https:///a.png",
    "http://files.example/a.png",
    "ftp://files.example/a.png",
    "file:///etc/passwd",
    "gopher://files.example/",
    "javascript:alert(1)",
    "https://files.example:8443/a.png",
    "https://files.example:0/",
    "https://files.example:99999/",
    "https://files.example:+443/",
    "https://files.example./a.png",
    "https://files.example@evil.example/",
    "https://user:word@files.example/",
    "https://@files.example/",
    "https://evil.example\\@files.example/",
    "https://files.example\\.evil.example/",
    "https://files.example/a b",
    "https://files.example/\r\nHost: evil.example",
    "https://files.example\t/",
    "https://f\u0131les.example/",
    "https://\uff11\uff12\uff17.0.0.1/",
    "https://127\u30020\u30020\u30021/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f000001/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://10.0.0.7/",
    "https://8.8.8.8/",
    "https://169.254.169.254/latest/meta-data/",
    "https://[::1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[fe80::1%25eth0]/",
    "https://localhost/",
    "https://files.localhost/",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://redis/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://files..example/",
    "https://.files.example/",
    "https://-/",
    "https://%66iles.example/",
]


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_address_is_refused_even_for_a_bare_question(url):
    with pytest.raises(AddressRefused):
        admit(url, VENDOR)


@pytest.mark.parametrize(
    "url",
    [
        "https://api.vendor.example/v1/jobs",
        "https://API.vendor.example:443/v1/jobs",
        "https://files.example/up?signature=1",
        "https://cdn.media.example/a",
    ],
)
def test_the_key_goes_to_the_vendor(url):
    assert admit(url, VENDOR, headers=KEY, is_get=False) is False


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1/jobs",
        "https://evilfiles.example/",
        "https://media.example/",
        "https://files.example.evil.example/",
        "https://api.vendor.example.evil.example/",
    ],
)
def test_nothing_but_a_bare_question_goes_to_anybody_else(url):
    assert admit(url, VENDOR) is False
    with pytest.raises(AddressRefused):
        admit(url, VENDOR, headers=KEY)
    with pytest.raises(AddressRefused):
        admit(url, VENDOR, is_get=False)


def test_what_the_operator_named_may_be_private_and_nothing_beside_it():
    home = Home.named_by_operator("http://10.0.0.7:8188/base")

    assert admit("http://10.0.0.7:8188/prompt", home, headers=KEY, is_get=False) is True
    for url in ("http://10.0.0.7:8189/", "http://10.0.0.8:8188/", "https://10.0.0.7:8188/", "http://10.0.0.7/"):
        with pytest.raises(AddressRefused):
            admit(url, home)


def test_a_home_that_is_no_address_is_no_home():
    home = Home.named_by_operator("nonsense", "", "http://[", "http://a:b/")

    assert home == Home()
    with pytest.raises(AddressRefused):
        admit("nonsense", home)


ADDRESSES = {
    "8.8.8.8": True,
    "2606:4700::1111": True,
    "0.0.0.0": False,
    "10.0.0.7": False,
    "100.64.0.1": False,
    "127.0.0.1": False,
    "127.255.255.254": False,
    "169.254.169.254": False,
    "172.16.0.1": False,
    "192.0.0.8": False,
    "192.0.2.1": False,
    "192.88.99.1": False,
    "192.168.1.1": False,
    "198.18.0.1": False,
    "224.0.0.1": False,
    "240.0.0.1": False,
    "255.255.255.255": False,
    "::": False,
    "::1": False,
    "::127.0.0.1": False,
    "::8.8.8.8": False,
    "::ffff:127.0.0.1": False,
    "::ffff:8.8.8.8": False,
    "::ffff:0:127.0.0.1": False,
    "64:ff9b::7f00:1": False,
    "64:ff9b:1::1": False,
    "2001:0:4136:e378::1": False,
    "2001:db8::1": False,
    "2002:7f00:1::": False,
    "3fff::1": False,
    "fc00::1": False,
    "fe80::1": False,
    "fe80::1%eth0": False,
    "fec0::1": False,
    "ff02::1": False,
    "nonsense": False,
    "": False,
}


@pytest.mark.parametrize(("address", "expected"), ADDRESSES.items())
def test_only_the_internet_s_own_addresses_are_public(address, expected):
    assert is_public_address(address) is expected


@given(st.ip_addresses())
def test_no_address_that_python_calls_private_is_public(address):
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert not is_public_address(str(address))


@given(st.sampled_from(EXTRA_BLOCKED_NET_RANGES), st.integers(0, 2**32 - 1))
def test_what_the_blocking_door_s_library_refuses_is_refused_by_us_too(net, number):
    assert not is_public_address(str(net[number % net.num_addresses]))


def spellings(address):
    """How one IPv4 address can be written."""
    number, parts = int(address), str(address).split(".")
    return [
        str(address),
        str(number),
        hex(number),
        f"0{number:o}",
        ".".join(hex(int(part)) for part in parts),
        ".".join(f"0{int(part):o}" for part in parts),
        f"{parts[0]}.{number & 0xFFFFFF}",
        f"{parts[0]}.{parts[1]}.{number & 0xFFFF}",
        f"[::ffff:{address}]",
        f"[64:ff9b::{number >> 16:x}:{number & 0xFFFF:x}]",
        f"{address}.",
    ]


@given(st.ip_addresses(v=4), st.data())
def test_no_spelling_of_a_number_is_a_name(address, data):
    host = data.draw(st.sampled_from(spellings(address)))

    with pytest.raises(AddressRefused):
        admit(f"https://{host}/a.png", VENDOR)


@given(st.text(max_size=60))
@example("https://[")
@example("https://a:b/")
def test_any_text_is_read_or_refused(text):
    for url in (text, f"https://{text}/", f"https://files.example{text}"):
        try:
            place = read(url)
        except AddressRefused:
            continue
        assert place.host == urlsplit(url).hostname
        assert "@" not in url.split("/")[2]


@given(st.from_regex(r"\A[0-9xXa-f.]{1,20}\Z"))
def test_what_the_system_would_take_for_a_number_is_no_name(host):
    try:
        socket.inet_aton(host)
    except (OSError, UnicodeEncodeError):
        return
    assert not is_public_name(host)


@pytest.mark.parametrize("host", ["a.example", "a-b.c.example", "a_b.example", "xn--bcher-kva.example", "a.xn--p1ai"])
def test_a_name_on_the_internet_is_taken(host):
    assert is_public_name(host)


def test_a_refusal_repeats_nothing_of_the_address():
    with pytest.raises(AddressRefused) as caught:
        admit("https://user:secret@files.example/?token=secret", VENDOR)

    assert "secret" not in f"{caught.value!r} {caught.value.extra} {caught.value.__context__!r}"
