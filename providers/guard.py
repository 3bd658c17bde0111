"""The rules that every outgoing connection is held to. Nobody connects without asking here.

    where it leads                what may go along          addresses that are connected to
    an origin that is named       anything                   whatever it resolves to: the operator chose it
    the vendor's own origin       anything                   public ones, over https, port 443
    the vendor's further hosts    anything                   the same
    anywhere else                 nothing: a bare GET        the same

A name is resolved once; what it resolves to is judged, and exactly that is connected to. Redirects are not followed,
save by `providers.download`, which judges each anew and then carries nothing along.
"""

import ipaddress
import re
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlsplit

from providers.errors import AddressRefused
from providers.home import Home, origin_of

#: What says nothing about us, and so may go anywhere.
_HARMLESS = frozenset({"accept", "accept-encoding", "user-agent"})
_ODD = re.compile(r"[\x00-\x20\\\x7f-\U0010ffff]")
_NAME = re.compile(r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})")
#: Ends of names that are somebody's own network, and nobody's on the internet.
_PRIVATE_ENDS = ("arpa", "corp", "home", "internal", "intranet", "invalid", "lan", "local", "localdomain", "localhost")
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(net)
    for net in (
        "100.64.0.0/10",  # a carrier's own network
        "192.0.0.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "::/96",  # IPv4 written as IPv6, as it was once done
        "::ffff:0:0:0/96",  # IPv4 translated, as are the next two
        "64:ff9b::/96",
        "64:ff9b:1::/48",
        "2001::/32",  # Teredo and 6to4 carry an IPv4 address
        "2002::/16",
        "2001:20::/28",
        "3fff::/20",
        "5f00::/16",
        "fec0::/10",
    )
)


@dataclass(frozen=True, slots=True)
class Place:
    """An address, read once."""

    scheme: str
    host: str
    origin: str

    @property
    def is_public(self) -> bool:
        """Whether it is https on port 443, at a name that may be on the internet."""
        return self.scheme == "https" and self.origin.endswith(":443") and is_public_name(self.host)


def read(url: str) -> Place:
    """The address. Raises AddressRefused for one that two readers might read in two ways."""
    try:
        parts = urlsplit(url)
        origin = origin_of(url)
    except ValueError:
        raise AddressRefused from None
    if parts.scheme not in ("https", "http") or _ODD.search(url) or "@" in parts.netloc:
        raise AddressRefused
    return Place(scheme=parts.scheme, host=parts.hostname or "", origin=origin)


def admit(url: str, home: Home, *, headers: Collection[str] = (), is_get: bool = True) -> bool:
    """May this be sent to `url`? True where any address will do, False where only a public one may be connected to.

    `headers` are the names of those that go along. Raises AddressRefused where it may not.
    """
    place = read(url)
    if place.origin in home.named:
        return True
    if not place.is_public:
        raise AddressRefused
    if place.origin in home.vendor or is_among(place.host, home.hosts):
        return False
    if is_get and all(name.lower() in _HARMLESS for name in headers):
        return False
    raise AddressRefused("Nothing but a bare question may leave the provider's own hosts.")


def is_among(host: str, hosts: Collection[str]) -> bool:
    """Whether `host` is one of `hosts`: exact, or ".suffix"."""
    return any(host.endswith(one) if one.startswith(".") else host == one for one in hosts)


def is_public_name(host: str) -> bool:
    """Whether `host`, in lower case, is a name with a dot, in ASCII, that may be on the internet.

    An address in numbers is none, however it is spelt, and neither is a name that ends in a dot.
    """
    return _NAME.fullmatch(host) is not None and host.rpartition(".")[2] not in _PRIVATE_ENDS


def is_public_address(address: str) -> bool:
    """Whether a resolved IP address is one of the internet's own, and no other one in disguise."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if not ip.is_global or ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        return False
    return not any(ip in net for net in _NOT_PUBLIC)


def require_public(address: str) -> None:
    """Raises AddressRefused unless `is_public_address`."""
    if not is_public_address(address):
        raise AddressRefused
