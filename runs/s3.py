"""Media in a bucket that speaks S3. Settings name this class; it is the one place that connects to the storage.

These connections lead where the operator's ZAP_STORAGE_URL says, and nowhere else: nothing from callers or providers
chooses a host. What the bucket says in its errors stays here, since it repeats keys, names and signed addresses.
"""

import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import IO, Any

from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files.base import File
from storages.backends.s3 import S3Storage

from runs.storage import Form, StorageUnavailable

logger = logging.getLogger(__name__)

_IN_MEMORY_BYTES = 4_000_000
_CHUNK_BYTES = 256 * 1024
_CACHE = "private, max-age=31536000, immutable"


class BucketStorage(S3Storage):  # type: ignore[misc]
    """One bucket. Everything raises StorageUnavailable where it does not answer, or refuses us.

    `public_url` is the host as callers reach it, "" where they do so as we do. Not every bucket knows signed forms:
    `takes_uploads` says whether this one does.
    """

    def __init__(self, *, public_url: str = "", takes_uploads: bool = True, **options: Any) -> None:
        self.public_url, self.takes_uploads = public_url, takes_uploads
        config = Config(
            signature_version="s3v4",
            s3={"addressing_style": options.get("addressing_style") or "auto"},
            connect_timeout=5,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 3},
            # Most that speaks S3 and is not AWS knows no trailing checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
        super().__init__(client_config=config, transfer_config=TransferConfig(max_concurrency=4), **options)

    @cached_property
    def connection(self) -> Any:
        """One for all threads: of it only the client is used, which may be shared, and costs 20 MB."""
        return self._connect(self.endpoint_url)

    @cached_property
    def bucket(self) -> Any:
        """See connection."""
        return self.connection.Bucket(self.bucket_name)

    def sign_read(self, name: str, *, content_type: str, disposition: str, seconds: int) -> str:
        """See runs.storage.Bucket."""
        said = {"ResponseContentType": content_type, "ResponseContentDisposition": disposition}
        wanted = {"Bucket": self.bucket_name, "Key": name, "ResponseCacheControl": _CACHE, **said}
        with _in_our_words():
            url: str = self._signer.generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)
            return url

    def sign_upload(self, name: str, *, content_type: str, size_bytes: int, seconds: int) -> Form:
        """See runs.storage.Bucket."""
        conditions = [{"Content-Type": content_type}, ["content-length-range", size_bytes, size_bytes]]
        with _in_our_words():
            form = self._signer.generate_presigned_post(
                self.bucket_name,
                name,
                Fields={"Content-Type": content_type},
                Conditions=conditions,
                ExpiresIn=seconds,
            )
        return Form(url=form["url"], fields=form["fields"])

    def fetch(self, name: str, into: IO[bytes], *, most_bytes: int) -> int:
        """See runs.storage.Bucket."""
        taken = 0
        with _in_our_words():
            body = self._client.get_object(Bucket=self.bucket_name, Key=name)["Body"]
            with body:
                for piece in body.iter_chunks(_CHUNK_BYTES):
                    taken += len(piece)
                    if taken > most_bytes:
                        break
                    into.write(piece)
        return taken

    @property
    def _client(self) -> Any:
        return self.connection.meta.client

    @cached_property
    def _signer(self) -> Any:
        return self._connect(self.public_url).meta.client if self.public_url else self._client

    def _connect(self, endpoint_url: str | None) -> Any:
        with _in_our_words():
            return self._create_session().resource(
                "s3", region_name=self.region_name, endpoint_url=endpoint_url, config=self.client_config
            )

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        """A copy of the whole file, so that nothing can fail while it is read."""
        copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES)
        try:
            self.fetch(name, copy, most_bytes=sys.maxsize)
        except BaseException:
            copy.close()
            raise
        copy.seek(0)
        return File(copy, name)

    def _save(self, name: str, content: "File[bytes]") -> str:
        with _in_our_words():
            stored: str = super()._save(name, content)
            return stored

    def delete(self, name: str) -> None:
        """Nothing happens where there is none."""
        with _in_our_words():
            super().delete(name)

    def exists(self, name: str) -> bool:
        """Asks the bucket."""
        with _in_our_words():
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        """In bytes. Raises FileNotFoundError."""
        with _in_our_words():
            return int(super().size(name))

    def listdir(self, path: str) -> tuple[list[str], list[str]]:
        """Folders and files. Raises FileNotFoundError where there is nothing, as a disk does."""
        with _in_our_words():
            folders, files = super().listdir(path)
        if not folders and not files:
            raise FileNotFoundError(path)
        return folders, files


@contextmanager
def _in_our_words() -> Iterator[None]:
    try:
        yield
    except ClientError as exc:
        status = exc.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 404 and exc.response.get("Error", {}).get("Code") != "NoSuchBucket":
            raise FileNotFoundError("There is no such file in the bucket.") from None
        logger.error("storage=refused status=%s error=%s", status, _word(exc.response))
    except (BotoCoreError, Boto3Error, OSError) as exc:
        if isinstance(exc, FileNotFoundError):
            raise
        logger.warning("storage=unavailable error=%s", type(exc).__name__)
    else:
        return
    raise StorageUnavailable from None


def _word(answer: Any) -> str:
    """The bucket's code for what is wrong, such as AccessDenied; never its sentence."""
    code = str(answer.get("Error", {}).get("Code", ""))
    return code if code.isascii() and code.isalnum() and len(code) <= 40 else "unknown"
