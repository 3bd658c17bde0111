"""Files that callers send to the bucket themselves: announced, sent by a signed form, then looked at like any other.

Nothing about what arrives is believed. It lies under a key that nothing else reads, is fetched, looked at behind the
fence, and stored again from the very bytes that were looked at: whoever replaces it meanwhile replaces nothing.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Greatest, Now
from django.utils import timezone

from accounts.caller import Caller
from core.errors import Conflict, NotFound, Refused
from core.ids import new_id
from runs import uploads
from runs.models import DirectUpload, Upload
from runs.storage import Bucket, Form, bucket

FORM_S = 900
_LEASE = timedelta(minutes=10)
_LEAST_BYTES = 1_000_000  # what one counts for at least, so that nobody announces a million small ones


class UploadsNotSigned(Refused):
    """The storage of this installation takes no files from callers themselves."""

    code = "UPLOADS_NOT_SIGNED"
    title = "This storage takes no uploads of its own."
    status = 501
    remediation = "POST the file to /api/uploads as multipart/form-data, in a field called file."


class UploadNotArrived(Conflict):
    """The bucket does not have it."""

    code = "UPLOAD_NOT_ARRIVED"
    title = "The file has not arrived in the storage."
    remediation = "POST it to the address, with the fields, that were signed for it; then complete it."


class UploadBusy(Conflict):
    """Somebody else completes it at this moment."""

    code = "UPLOAD_BUSY"
    title = "The file is being looked at."
    retryable = True
    remediation = "Ask again in a moment."


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """An upload that is waited for, and the form that sends it. The form is good until `ends_at`."""

    direct_id: str
    form: Form
    ends_at: datetime

    @property
    def complete_path(self) -> str:
        """Where to say that it was sent."""
        return f"/api/uploads/{self.direct_id}/complete"


def require_place() -> Bucket:
    """The bucket, where it takes files from callers. Raises UploadsNotSigned."""
    place = bucket()
    if place is None or not place.takes_uploads:
        raise UploadsNotSigned
    return place


def sign(caller: Caller, *, content_type: str, size_bytes: int) -> Signed:
    """A form that takes one file of that type and exactly that size.

    Raises UploadsNotSigned where the storage has none; UploadRefused, UploadTooLarge, TooManyUploads and
    StorageUnavailable, with nothing announced.
    """
    place = require_place()
    if size_bytes > uploads.most_bytes_of(content_type, is_known=caller.is_known):
        raise uploads.UploadTooLarge
    uploads.require_room(caller, size_bytes, announced=_announced(caller))
    direct_id, now = new_id("direct"), timezone.now()
    waiting = DirectUpload(
        direct_id=direct_id,
        owner=caller.user,
        session="" if caller.is_known else caller.key_scope,
        size_bytes=size_bytes,
        expires_at=now + uploads.LIFE,
    )
    form = place.sign_upload(waiting.storage_key, content_type=content_type, size_bytes=size_bytes, seconds=FORM_S)
    waiting.save()
    return Signed(direct_id=direct_id, form=form, ends_at=now + timedelta(seconds=FORM_S))


def complete(direct_id: str, caller: Caller) -> Upload:
    """Look at what has arrived, and keep it. Asked again, whoever lost the answer gets the same one.

    Raises NotFound for what is not the caller's, has ended, or was refused; UploadNotArrived and UploadBusy, after
    which it may be asked again; and what uploads.keep raises. What was refused is gone, and its form with it.
    """
    place, waiting = require_place(), _find(direct_id, caller)
    if waiting.upload is not None:
        return waiting.upload
    with _held(waiting), tempfile.NamedTemporaryFile(dir=settings.FILE_UPLOAD_TEMP_DIR, suffix=".upload") as file:
        try:
            size_bytes = place.fetch(waiting.storage_key, file, most_bytes=waiting.size_bytes)
        except FileNotFoundError:
            raise UploadNotArrived from None
        file.flush()
        upload = _judge(waiting, Path(file.name), size_bytes, caller)
        _end(waiting, upload)
    return upload


def prune() -> int:
    """Throw away what has arrived and was never completed. Returns how many. Safe to repeat."""
    gone = 0
    for waiting in DirectUpload.objects.filter(expires_at__lt=Now()).iterator():
        default_storage.delete(waiting.storage_key)
        waiting.delete()
        gone += 1
    return gone


def _announced(caller: Caller) -> int:
    """Bytes that the caller, or all together whom we do not know, may still send."""
    theirs = DirectUpload.objects.filter(owner=caller.user, ended_at=None, expires_at__gt=Now())
    total: int | None = theirs.aggregate(total=Sum(Greatest("size_bytes", _LEAST_BYTES)))["total"]
    return total or 0


def _find(direct_id: str, caller: Caller) -> DirectUpload:
    theirs = DirectUpload.objects.filter(owner=caller.user, expires_at__gt=Now())
    if not caller.is_known:
        theirs = theirs.filter(session=caller.key_scope)
    waiting = theirs.filter(direct_id=direct_id).select_related("upload").first()
    if waiting is None or (waiting.ended_at is not None and _is_gone(waiting.upload)):
        raise NotFound("There is no such upload of yours that waits.")
    return waiting


def _is_gone(upload: Upload | None) -> bool:
    return upload is None or upload.discarded_at is not None


def _open(waiting: DirectUpload) -> "QuerySet[DirectUpload]":
    return DirectUpload.objects.filter(pk=waiting.pk, ended_at=None)


@contextmanager
def _held(waiting: DirectUpload) -> Iterator[None]:
    """Of several who complete it at once, one does; whoever dies over it keeps the others out for ten minutes."""
    free = Q(lease_until=None) | Q(lease_until__lt=Now())
    if not _open(waiting).filter(free).update(lease_until=Now() + _LEASE):
        raise UploadBusy
    try:
        yield
    finally:
        _open(waiting).update(lease_until=None)


def _judge(waiting: DirectUpload, path: Path, size_bytes: int, caller: Caller) -> Upload:
    try:
        if size_bytes > waiting.size_bytes:
            raise uploads.UploadTooLarge
        return uploads.keep(path, caller)
    except (uploads.UploadTooLarge, uploads.UploadRefused):
        _end(waiting, None)
        raise


def _end(waiting: DirectUpload, upload: Upload | None) -> None:
    """Its row stays until its form has long ended, and what that lets in is then thrown away too."""
    _open(waiting).update(ended_at=Now(), upload=upload)
    default_storage.delete(waiting.storage_key)
