"""What of a tape may be read by anybody. What is not known to be harmless is replaced, whatever it is.

kept           fields' names, statuses and other words of the vendor's vocabulary, small numbers, moments, measures;
               the prompt and the model's own words, as they were given
{id-N}         an opaque string; the same one is the same wherever it stands, also inside a path
{text-N}       a sentence
{origin}/…     an address at the vendor's base address, its path and query judged word by word
{host-N}/…     the root of another host of the vendor's, and what the adapter calls there
{elsewhere-N}  any other address
{data-N}       bytes written as text; `media` says what they are
{secret}       holds a key that was sent, or that we were told of

Nothing here is certain of a secret's shape: what counts is that only known shapes in known places stay.
"""

import base64
import binascii
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from providers.home import origin_of
from providers.sniff import HEAD_BYTES, sniff
from providers.transcript import words

PLACEHOLDER = re.compile(r"\{(?:origin|secret|(?:id|text|host|elsewhere|data)-\d+)\}")
_SHORTEST_SECRET = 4
_SHORTEST_DATA = 120
HIDDEN_FROM = 100_000  # a number from there on is written as 0
_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w=.+-]+)*?(;base64)?,", re.ASCII)
_DEEPEST = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """Bytes that stood in a body: what they are, never themselves. `is_url`: they were written as a data: address."""

    content_type: str
    bytes: int
    sha256: str
    is_url: bool = False


class Cleaner:
    """Judges strings, and remembers what it called each. `said`: what we ourselves asked for, kept as it is.

    `base_url` is the vendor's, `origins` are its further ones.
    """

    def __init__(
        self, *, base_url: str, origins: Collection[str] = (), secrets: Iterable[str] = (), said: Iterable[str] = ()
    ) -> None:
        self.blobs: dict[str, Blob] = {}
        self._base_url = base_url.rstrip("/")
        self._origins = origins
        self._secrets = tuple(_forms(secrets))
        self._said = {part for text in said for part in (text, *text.split("/")) if part}
        self._names: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}

    def document(self, value: Any, name: str = "", *, ours: bool = False, depth: int = 0) -> Any:
        """A JSON value. `ours`: we sent it, so that its words are our adapter's."""
        if depth > _DEEPEST:
            return None
        if isinstance(value, Mapping):
            return {self.field(key): self.document(one, key, ours=ours, depth=depth + 1) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(one, name, ours=ours, depth=depth + 1) for one in value]
        if isinstance(value, str):
            return self.text(value, name, ours=ours)
        return self._number(value, name)

    def field(self, name: str) -> str:
        """The name of a field, or an id where a vendor uses one as a name."""
        if self._is_secret(name):
            return "{secret}"
        return name if name in self._said or words.is_field(name) else self._called("id", name)

    def text(self, value: str, name: str = "", *, ours: bool = False) -> str:
        """A string that stood in the field `name`."""
        if self._is_secret(value):
            return "{secret}"
        if self._is_known(value, name, ours=ours):
            return value
        if value.startswith(("https://", "http://")):
            return self.url(value)
        return self._data(value) or self._called("text" if re.search(r"\s", value) else "id", value)

    def _is_known(self, value: str, name: str, *, ours: bool) -> bool:
        if value in self._said:
            return PLACEHOLDER.search(value) is None
        if words.is_harmless(value):
            return True
        telling = ours or name.lower() in words.TELLING
        return (telling and words.is_vocabulary(value)) or (ours and words.is_field(value))

    def url(self, value: str, *, called: bool = False) -> str:
        """An address, with its query. `called`: our adapter has called it, so its path is our adapter's too."""
        if self._is_secret(value):
            return self._called("elsewhere", value)
        path, query = self.place(value, called=called)
        return path + ("?" + "&".join(f"{one}={query[one]}" for one in query) if query else "")

    def place(self, value: str, *, called: bool = False) -> tuple[str, dict[str, str]]:
        """The address as its path and its query, each cleaned."""
        try:
            parts = urlsplit(value)
            origin = origin_of(value)
        except ValueError:
            return self._called("elsewhere", value), {}
        query = {self.field(name): self.text(one, name, ours=True) for name, one in parse_qsl(parts.query)}
        if value.startswith((f"{self._base_url}/", f"{self._base_url}?")):
            rest = value[len(self._base_url) :].partition("?")[0].partition("#")[0]
            return "{origin}" + self._path(rest), query
        if origin in self._origins:
            return "{origin}" + self._path(parts.path), query
        if ("elsewhere", value) not in self._names:
            if parts.path in ("", "/") and not parts.query:
                return self._called("host", origin), {}
            if called and ("host", origin) in self._names:
                return self._called("host", origin) + self._path(parts.path), query
        return self._called("elsewhere", value), {}

    def blob(self, content: bytes, content_type: str, *, is_url: bool = False) -> Blob:
        """What may be said about bytes."""
        known = sniff(content[:HEAD_BYTES])
        named = content_type if content_type in words.CONTENT_TYPES else "application/octet-stream"
        kind = known[0] if known else named
        # The hash of something short could be guessed back; that of a picture cannot.
        digest = sha256(content).hexdigest() if kind in words.MEDIA_TYPES else ""
        return Blob(content_type=kind, bytes=len(content), sha256=digest, is_url=is_url)

    def _path(self, path: str) -> str:
        return "/".join(self._segment(unquote(one)) for one in path.split("/"))

    def _segment(self, text: str) -> str:
        if self._is_secret(text):
            return "{secret}"
        if ("id", text) in self._names:  # it was answered, and is now called by that name
            return self._called("id", text)
        if text in self._said or words.is_harmless(text) or words.is_vocabulary(text):
            return text
        return self._called("id", text)

    def _number(self, value: Any, name: str) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if self._is_secret(repr(value)):
            return 0
        small = abs(value) < HIDDEN_FROM
        return value if small or (isinstance(value, int) and name.lower() in words.LONG_NUMBERS) else 0

    def _data(self, value: str) -> str | None:
        """The name of bytes that are written as text; None where it is other text."""
        head = _DATA_URL.match(value)
        if head is None and len(value) < _SHORTEST_DATA:
            return None
        content = _decoded(value[head.end() :] if head else value)
        if head is None and (content is None or sniff(content[:HEAD_BYTES]) is None):
            return None
        name = self._called("data", value)
        self.blobs[name[1:-1]] = self.blob(content or b"", (head and head[1]) or "", is_url=head is not None)
        return name

    def _called(self, kind: str, text: str) -> str:
        if (kind, text) not in self._names:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._names[kind, text] = f"{{{kind}-{self._counts[kind]}}}"
        return self._names[kind, text]

    def _is_secret(self, text: str) -> bool:
        if not self._secrets:
            return False
        seen = (text, unquote(text), unquote(unquote(text)))
        return any(secret in one for one in seen for secret in self._secrets)


def _forms(secrets: Iterable[str]) -> Iterator[str]:
    """A secret, and how it looks in other spellings. Parts of it count too: an id and a key, a user and a password."""
    for secret in secrets:
        for part in (secret, *secret.split(), *re.split(r"[\s:]+", secret)):
            if len(part) < _SHORTEST_SECRET:
                continue
            raw = part.encode("utf-8", "surrogatepass")
            yield part
            yield part[::-1]
            yield from (quote(part, safe=""), raw.hex(), raw.hex().upper())
            yield from _base64(raw)


def _base64(raw: bytes) -> Iterator[str]:
    """The part of its base64 that is the same whatever stands before and after it."""
    encoders: tuple[Callable[[bytes], bytes], ...] = (base64.b64encode, base64.urlsafe_b64encode)
    for before in range(3):
        begins, ends = -(-8 * before // 6), 8 * (before + len(raw)) // 6
        for encode in encoders:
            inner = encode(b"\0" * before + raw).decode()[begins:ends]
            if len(inner) >= _SHORTEST_SECRET:
                yield inner


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
