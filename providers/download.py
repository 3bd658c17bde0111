"""The one way by which a provider's result comes in: checked address, pinned connection, capped bytes and time.

An address is fetched only over https, on port 443, from a host that the provider is known to serve results from, and
never from a private address, whatever its name resolves to; each redirect is judged anew. The origin that the operator
configured for a provider may lie on loopback with ZAP_ALLOW_LOOPBACK=1, and anywhere where the provider is self-hosted.
"""

import base64
import binascii
import hashlib
import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import unquote_to_bytes, urljoin

import requests
from urllib3.exceptions import HTTPError

from providers import doors, guard
from providers.contract import Output, Provider
from providers.errors import (
    AddressRefused,
    OutputExpired,
    OutputInvalid,
    OutputRefused,
    OutputTooLarge,
    OutputUnavailable,
)
from providers.home import Home
from providers.sniff import HEAD_BYTES, sniff
from providers.transcript import tape
from providers.verdict import retry_after_s

_MB = 1_000_000
_MAX_HOPS = 3
_CHUNK = 65_536
_BEAT_EVERY_S = 1.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TRUE = frozenset({"1", "true", "on"})
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much is taken: bytes by class of media, and seconds for the whole download."""

    image_bytes: int = 30 * _MB
    audio_bytes: int = 50 * _MB
    video_bytes: int = 500 * _MB
    json_bytes: int = 5 * _MB
    inline_bytes: int = 20 * _MB
    seconds: float = 600.0
    allow_loopback: bool = False

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Limits":
        """As ZAP_MAX_{IMAGE,AUDIO,VIDEO}_MB, ZAP_DOWNLOAD_TIMEOUT_S and ZAP_ALLOW_LOOPBACK say."""
        return cls(
            image_bytes=int(environ.get("ZAP_MAX_IMAGE_MB") or 30) * _MB,
            audio_bytes=int(environ.get("ZAP_MAX_AUDIO_MB") or 50) * _MB,
            video_bytes=int(environ.get("ZAP_MAX_VIDEO_MB") or 500) * _MB,
            seconds=float(environ.get("ZAP_DOWNLOAD_TIMEOUT_S") or 600),
            allow_loopback=environ.get("ZAP_ALLOW_LOOPBACK", "").strip().lower() in _TRUE,
        )

    @property
    def largest_bytes(self) -> int:
        """The largest of the caps."""
        return max(self.image_bytes, self.audio_bytes, self.video_bytes)

    def of_kind(self, kind: str) -> int:
        """The cap for a class of media."""
        caps = {"png": self.image_bytes, "wav": self.audio_bytes, "mp4": self.video_bytes, "json": self.json_bytes}
        return caps[kind]


@dataclass(frozen=True, slots=True, kw_only=True)
class Downloaded:
    """A result on our disk. `content_type` and `kind` (png, mp4, wav, json) come from its bytes."""

    path: Path
    bytes: int
    sha256: str
    content_type: str
    kind: str


def _nothing() -> None:
    return None


def download(
    output: Output,
    into: Path,
    *,
    provider: Provider,
    key: str = "",
    beat: Callable[[], None] = _nothing,
    limits: Limits | None = None,
) -> Downloaded:
    """The output as a file in the folder `into`. `beat` is called about every second; what it raises ends the download.

    The key goes along only where the output asks for it and lies at the provider's own origin. `limits` are the
    environment's unless given. Raises OutputRefused, OutputExpired, OutputTooLarge, OutputInvalid, which are final,
    and OutputUnavailable, after which it may be tried again. No file is left when it raises.
    """
    limits = limits or Limits.of(os.environ)
    path = into / "result"
    try:
        found = _take(output, path, provider, key, limits, beat)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    tape.note_fetched(output, content_type=found.content_type, size=found.bytes, sha256=found.sha256)
    return found


def _take(
    output: Output, path: Path, provider: Provider, key: str, limits: Limits, beat: Callable[[], None]
) -> Downloaded:
    if output.content is not None:
        return _write(path, _pieces(output.content), limits, beat)
    url = output.url or ""
    if url.startswith("data:"):
        return _write(path, _pieces(_inline(url, limits)), limits, beat)
    headers = provider.download_headers(key) if output.authorized and provider.is_own(url) else {}
    return _fetch(url, path, partial(admit, provider=provider, limits=limits), headers, limits, beat)


def download_given(url: str, into: Path, *, limits: Limits) -> Downloaded:
    """What lies at an address that a caller gave, as a file in the folder `into`. Nothing goes along.

    Raises as `download`; OutputRefused for what is not on the internet, over https on port 443.
    """
    path = into / "given"
    try:
        return _fetch(url, path, _admit_given, {}, limits, _nothing)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _admit_given(url: str) -> bool:
    """Nobody's home: not even the operator's own addresses may be looked at for a caller."""
    try:
        return guard.admit(url, Home())
    except AddressRefused:
        raise OutputRefused from None


def admit(url: str, provider: Provider, limits: Limits) -> bool:
    """May `url` be fetched for `provider`? True where the operator named that origin, False for a public host of its.

    Raises OutputRefused for every other address.
    """
    try:
        place = guard.read(url)
    except AddressRefused:
        raise OutputRefused from None
    if place.origin in provider.home.named and (provider.self_hosted or _is_loopback(place.host, limits)):
        return True
    own = provider.home.named | provider.home.vendor
    if place.is_public and (place.origin in own or guard.is_among(place.host, provider.media_hosts)):
        return False
    raise OutputRefused


def _is_loopback(host: str, limits: Limits) -> bool:
    return limits.allow_loopback and host in _LOOPBACK


def _fetch(
    url: str,
    path: Path,
    judge: Callable[[str], bool],
    headers: Mapping[str, str],
    limits: Limits,
    beat: Callable[[], None],
) -> Downloaded:
    """`judge` says of each address whether the operator named it, and raises OutputRefused where it may not be."""
    ends = time.monotonic() + limits.seconds
    for _ in range(_MAX_HOPS + 1):
        door = doors.door(is_named=judge(url))
        try:
            with door.cut_after(ends - time.monotonic()), _get(door, url, headers) as response:
                if response.status_code not in _REDIRECTS:
                    _require_fine(response)
                    return _write(path, _body(response, ends), limits, beat, length=_length(response))
                url, headers = urljoin(url, response.headers.get("location", "")), {}
        except AddressRefused:
            raise OutputRefused from None
        except (requests.RequestException, HTTPError, OSError):
            raise OutputUnavailable from None
        finally:
            door.close()
    raise OutputRefused("The result's address leads from one address to the next.")


def _get(door: doors.Named, url: str, headers: Mapping[str, str]) -> requests.Response:
    wanted = {"Accept-Encoding": "identity", "User-Agent": "zaps", **headers}
    return doors.session(door).get(url, headers=wanted, timeout=(5, 20), allow_redirects=False, stream=True)


def _require_fine(response: requests.Response) -> None:
    status = response.status_code
    if status == 200:
        return
    if status in (401, 403, 404, 410):
        raise OutputExpired
    raise OutputUnavailable(retry_after_s=retry_after_s({k.lower(): v for k, v in response.headers.items()}))


def _length(response: requests.Response) -> int:
    text = response.headers.get("content-length", "")
    return int(text) if text.isdecimal() else 0


def _body(response: requests.Response, ends: float) -> Iterator[bytes]:
    while chunk := response.raw.read1(_CHUNK, decode_content=False):
        yield chunk
        if time.monotonic() > ends:
            raise OutputUnavailable("The result came too slowly.")


def _pieces(content: bytes) -> Iterator[bytes]:
    return (content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK))


def _inline(url: str, limits: Limits) -> bytes:
    if len(url) > limits.inline_bytes * 3:
        raise OutputTooLarge
    head, comma, text = url.partition(",")
    try:
        content = base64.b64decode(text, validate=True) if head.endswith(";base64") else unquote_to_bytes(text)
    except (binascii.Error, ValueError):
        raise OutputInvalid from None
    if not comma:
        raise OutputInvalid
    if len(content) > limits.inline_bytes:
        raise OutputTooLarge
    return content


def _write(
    path: Path, chunks: Iterable[bytes], limits: Limits, beat: Callable[[], None], *, length: int = 0
) -> Downloaded:
    """Write while counting. What it is, and so how large it may be, is known after the first bytes."""
    digest, size, head, cap = hashlib.sha256(), 0, b"", 0
    found: tuple[str, str] | None = None
    beaten = time.monotonic()
    with path.open("wb") as file:
        for chunk in chunks:
            size += len(chunk)
            head += chunk if found is None else b""
            if found is None and len(head) >= min(HEAD_BYTES, length or HEAD_BYTES):
                found, cap = _known(head, limits)
            if found is not None and max(size, length) > cap:
                raise OutputTooLarge
            digest.update(chunk)
            file.write(chunk)
            if time.monotonic() - beaten >= _BEAT_EVERY_S:
                beat()
                beaten = time.monotonic()
    if found is None:
        found, cap = _known(head, limits)
    if size > cap:
        raise OutputTooLarge
    content_type, kind = found
    if kind == "json":
        _require_json(path)
    return Downloaded(path=path, bytes=size, sha256=digest.hexdigest(), content_type=content_type, kind=kind)


def _known(head: bytes, limits: Limits) -> tuple[tuple[str, str], int]:
    found = sniff(head[:HEAD_BYTES])
    if found is None:
        raise OutputInvalid
    return found, limits.of_kind(found[1])


def _require_json(path: Path) -> None:
    try:
        json.loads(path.read_bytes())
    except ValueError:
        raise OutputInvalid from None
