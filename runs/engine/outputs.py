"""From a finished job to stored files: fetch through the guard, look inside, store under our own key."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from django.core.files import File
from django.core.files.storage import default_storage

from media.mock import mock_media
from media.probe import Probe, probe
from providers.contract import Output, Provider
from providers.download import download
from providers.mock_media import SCHEME, MockMedia
from runs.models import Attempt

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


def fetch(
    attempt: Attempt, output: Output, folder: Path, *, provider: Provider, key: str, beat: Callable[[], None]
) -> Path:
    """The output's bytes as a file in `folder`.

    Raises the download guard's errors: final ones for what is not media or not allowed, retryable ones for a
    network that failed.
    """
    if output.url is not None and output.url.startswith(SCHEME):
        wanted = MockMedia.parse(output.url)
        path = folder / "mock"
        path.write_bytes(
            mock_media(
                wanted.kind,
                seed=wanted.seed,
                label=wanted.label,
                width=wanted.width,
                height=wanted.height,
                duration_s=wanted.duration_s,
            )
        )
        return path
    return download(output, folder, provider=provider, key=key, beat=beat).path


def store(attempt: Attempt, index: int, path: Path) -> Stored:
    """Put the file into storage. The same file of the same attempt always has the same key, and is stored once.

    Raises MediaError where it does not decode.
    """
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    found = _probe(path, sha256)
    ending = _ENDINGS.get(found.content_type, found.kind)
    name = f"runs/{attempt.run.run_id}/{attempt.step.step_id}/{attempt.number}/{index}-{sha256}.{ending}"
    size_bytes = path.stat().st_size
    storage_key = _put(name, path, size_bytes)
    return Stored(index=index, storage_key=storage_key, sha256=sha256, size_bytes=size_bytes, probe=found)


def _put(name: str, path: Path, size_bytes: int) -> str:
    """A worker that died after storing, or in the middle of it, left the same name behind, perhaps only a part."""
    if default_storage.exists(name):
        if default_storage.size(name) == size_bytes:
            return name
        default_storage.delete(name)
    with path.open("rb") as file:
        storage_key: str = default_storage.save(name, File(file))
    return storage_key


def _probe(path: Path, sha256: str) -> Probe:
    """What is inside; looked at once for the same content."""
    found = _KNOWN.get(sha256)
    if found is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        found = _KNOWN[sha256] = probe(path)
    return found


def seconds(found: Probe) -> Decimal | None:
    """The duration as it is stored: milliseconds."""
    return None if found.duration_s is None else found.duration_s.quantize(Decimal("0.001"))
