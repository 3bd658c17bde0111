"""From a finished job to stored files: fetch through the guard, look inside, store under our own key."""

import hashlib
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.core.files.base import ContentFile, File

from media import fence
from media.mock import mock_media
from media.probe import Probe, probe
from providers.contract import Output, Provider
from providers.download import download
from providers.mock_media import SCHEME, MockMedia
from runs.models import Attempt
from runs.storage import put

_KNOWN: dict[str, Probe] = {}
_MOST_KNOWN = 1024
_ENDINGS = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "video/quicktime": "mov",
    "audio/wav": "wav",
    "audio/x-wav": "wav",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "image/avif": "avif",
    "video/x-matroska": "mkv",
    "application/json": "json",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A file that stands in storage, and what a look inside found."""

    index: int
    storage_key: str
    sha256: str
    size_bytes: int
    probe: Probe


def keep(
    attempt: Attempt, index: int, output: Output, *, provider: Provider, key: str, beat: Callable[[], None]
) -> Stored:
    """Fetch the output and put it into storage.

    Raises the download guard's errors: final ones for what is not media or not allowed, retryable ones for a
    network that failed; and MediaError where it does not decode.
    """
    if output.url is not None and output.url.startswith(SCHEME):
        return _store_content(attempt, index, _drawn(MockMedia.parse(output.url)))
    with tempfile.TemporaryDirectory(prefix="zaps-") as folder:
        return store(attempt, index, download(output, Path(folder), provider=provider, key=key, beat=beat).path)


def store(attempt: Attempt, index: int, path: Path) -> Stored:
    """Put the file into storage. The same file of the same attempt always has the same key, and is stored once.

    Raises MediaError where it does not decode.
    """
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return _put(attempt, index, File(file), sha256, fence.probe(path))


def _drawn(wanted: MockMedia) -> bytes:
    return mock_media(
        wanted.kind,
        seed=wanted.seed,
        label=wanted.label,
        width=wanted.width,
        height=wanted.height,
        duration_s=wanted.duration_s,
    )


def _store_content(attempt: Attempt, index: int, content: bytes) -> Stored:
    """As `store`. What was seen before is not looked into again, so it needs no file but the stored one."""
    sha256 = hashlib.sha256(content).hexdigest()
    found = _KNOWN.get(sha256)
    if found is None:
        with tempfile.NamedTemporaryFile(prefix="zaps-") as file:
            file.write(content)
            file.flush()
            found = probe(Path(file.name))
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[sha256] = found
    return _put(attempt, index, ContentFile(content), sha256, found)


def _put(attempt: Attempt, index: int, file: "File[bytes]", sha256: str, found: Probe) -> Stored:
    ending = _ENDINGS.get(found.content_type, found.kind)
    name = f"runs/{attempt.run.run_id}/{attempt.step.step_id}/{attempt.number}/{index}-{sha256}.{ending}"
    return Stored(index=index, storage_key=put(name, file), sha256=sha256, size_bytes=file.size, probe=found)


def seconds(found: Probe) -> Decimal | None:
    """The duration as it is stored: milliseconds."""
    return None if found.duration_s is None else found.duration_s.quantize(Decimal("0.001"))
