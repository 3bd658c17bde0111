"""What we ask of the media storage beyond Django's own interface. Any back end will do; a bucket can do more."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO, Protocol, cast

from django.core.files.base import File
from django.core.files.storage import default_storage, storages

from core.errors import ZapsError

SMALL, LARGE = 320, 960
_AWAY_TRIES = 36  # with pauses of up to a minute between them


class StorageUnavailable(ZapsError):
    """The storage does not answer, or refuses us. The same call may work later."""

    code = "STORAGE_UNAVAILABLE"
    title = "The media storage does not answer as it should."
    status = 503
    retryable = True
    remediation = "Try again in a while; whoever runs this server finds the cause in its log."


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """Where and with which fields a file may be POSTed, once or again, as multipart/form-data with the file last."""

    url: str = field(repr=False)
    fields: Mapping[str, str] = field(repr=False)


class Bucket(Protocol):
    """A storage that callers can reach themselves, by addresses that we sign. All raise StorageUnavailable."""

    takes_uploads: bool  # not every bucket that speaks S3 knows signed forms

    def sign_read(self, name: str, *, content_type: str, disposition: str, seconds: int) -> str:
        """An address that gives the file, under that type and disposition, for so long."""
        ...

    def sign_upload(self, name: str, *, content_type: str, size_bytes: int, seconds: int) -> Form:
        """A form that takes exactly such a file, under that name, for so long."""
        ...

    def fetch(self, name: str, into: IO[bytes], *, most_bytes: int) -> int:
        """Copy the file. Returns how many bytes came; more than `most_bytes` means that it is larger.

        Raises FileNotFoundError.
        """
        ...


def bucket() -> Bucket | None:
    """The storage, where callers can reach it themselves."""
    storage = storages["default"]
    return cast(Bucket, storage) if hasattr(storage, "sign_read") else None


def put(name: str, content: "File[bytes]") -> str:
    """Store it under that very name, unless the whole of it is there. Whoever died over it may have left a part."""
    try:
        held = default_storage.size(name)
    except FileNotFoundError:
        return default_storage.save(name, content)
    if held == content.size:
        return name
    default_storage.delete(name)  # some back ends would choose another name
    return default_storage.save(name, content)


def thumbnail_key(sha256: str, longest: int) -> str:
    """Where the cache keeps a small picture of a file; of SMALL or LARGE, the pixels of its longer side."""
    return f"zaps:thumbnail:{longest}:{sha256}"


def tries_after(code: str, usual: int) -> int:
    """How often in all that may be tried whose last try ended with `code`: half an hour for a storage that is away."""
    return _AWAY_TRIES if code == StorageUnavailable.code else usual
