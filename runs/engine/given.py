"""The pictures, clips and sounds that a caller gave: what they are, and how a provider comes by them."""

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from media import fence
from media.errors import MediaError, Unreadable
from providers.contract import Generation, Media, Provider
from providers.download import Downloaded, Limits, download_given
from providers.errors import (
    OutputExpired,
    OutputInvalid,
    OutputRefused,
    OutputTooLarge,
    OutputUnavailable,
    Rejected,
    Unavailable,
)
from runs import policy
from runs.inputs import ACCEPTED, read_input, type_of_input
from zaps.planned import InputRef

_ADDRESSES = ("https://", "http://", "mock:")
_STORED = ("input:", "data:")
_TYPES = {  # by their ending, of each class; the first for what has none
    "image": {"": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"},
    "video": {"": "video/mp4", "webm": "video/webm", "mov": "video/quicktime"},
    "audio": {"": "audio/mpeg", "wav": "audio/wav", "m4a": "audio/mp4", "ogg": "audio/ogg"},
}
_REFUSALS = {
    OutputRefused: "INPUT_REFUSED",
    OutputExpired: "INPUT_UNREACHABLE",
    OutputTooLarge: "INPUT_TOO_LARGE",
    OutputInvalid: "INPUT_NOT_MEDIA",
}


def given_media(refs: list[InputRef], values: Mapping[str, Any]) -> list[Media]:
    """What was given for these inputs, in their order; an input that was left out is none.

    Raises NotFound where the bytes of one are gone.
    """
    return [_media(ref, values[ref.name]) for ref in refs if _is_media(values.get(ref.name))]


def _is_media(value: Any) -> bool:
    return isinstance(value, str) and value.startswith(_ADDRESSES + _STORED)


def _media(ref: InputRef, value: str) -> Media:
    if value.startswith(_STORED):
        return Media(content_type=type_of_input(value), read=partial(read_input, value))
    return Media(content_type=_likely_type(value, ref.media or "image"), url=value)


def _likely_type(url: str, media: str) -> str:
    """The class is what the recipe declares; the rest is guessed."""
    ending = url.split("?", 1)[0].rsplit(".", 1)[-1].lower()
    known = _TYPES[media]
    return known.get(ending, known[""])


@contextmanager
def fetched(generation: Generation, provider: Provider) -> Iterator[Generation]:
    """The generation with files where its callers gave addresses, for a provider that fetches none itself.

    All of them together may take policy.FETCH_S. Raises Rejected for what no further try would mend, and Unavailable.
    """
    if provider.fetches_files or not any(media.url for media in _all(generation)):
        yield generation
        return
    with tempfile.TemporaryDirectory(prefix="zaps-") as folder:
        fetching = _Fetching(Path(folder))
        yield replace(
            generation,
            images=tuple(map(fetching.fetch, generation.images)),
            videos=tuple(map(fetching.fetch, generation.videos)),
            audios=tuple(map(fetching.fetch, generation.audios)),
        )


def _all(generation: Generation) -> tuple[Media, ...]:
    return (*generation.images, *generation.videos, *generation.audios)


@dataclass(slots=True)
class _Fetching:
    folder: Path
    _ends: float = field(default_factory=lambda: time.monotonic() + policy.FETCH_S)
    _found: dict[str, Media] = field(default_factory=dict)

    def fetch(self, media: Media) -> Media:
        """The file itself; one that is there twice is fetched once."""
        if media.url is None:
            return media
        if media.url not in self._found:
            self._found[media.url] = self._fetch(media.url, media.content_type)
        return self._found[media.url]

    def _fetch(self, url: str, likely_type: str) -> Media:
        into = self.folder / str(len(self._found))
        into.mkdir()
        limits = replace(Limits.of(os.environ), seconds=max(self._ends - time.monotonic(), 0.0))
        try:
            file = download_given(url, into, limits=limits)
            return Media(content_type=_looked_at(file, likely_type), read=file.path.read_bytes)
        except tuple(_REFUSALS) as exc:
            raise _refused(_REFUSALS[type(exc)]) from None
        except OutputUnavailable as exc:
            raise Unavailable(reason="INPUT_UNREACHABLE", retry_after_s=exc.retry_after_s) from None
        except (MediaError, OSError):  # our own machine's fault: nothing has been sent yet
            raise Unavailable(reason="SUBMISSION_PRECONDITION_FAILED") from None


def _looked_at(file: Downloaded, likely_type: str) -> str:
    """What it is. Raises Rejected for what is no media, or of another class than the recipe asks for."""
    try:
        found = fence.probe(file.path).content_type
    except Unreadable:
        raise _refused("INPUT_NOT_MEDIA") from None
    if found not in ACCEPTED or found.partition("/")[0] != likely_type.partition("/")[0]:
        raise _refused("INPUT_NOT_MEDIA")
    return found


def _refused(reason: str) -> Rejected:
    return Rejected("A file that goes into the step cannot be had from its address.", reason=reason)
