"""Files that a caller sends before the run that they are for, and names in its inputs as `upload:{uploadId}`.

Each is looked at behind the fence before it is kept. What no run has used by its end is thrown away.
"""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet, Sum
from django.db.models.functions import Now
from django.utils import timezone

from accounts.caller import Caller, CallerUnknown, Scope
from core.errors import BadInput, Problem, Refused
from core.ids import new_id
from media import fence
from media.errors import Unreadable
from media.probe import Probe
from providers.download import Limits
from providers.sniff import HEAD_BYTES, kind_of, sniff
from runs.inputs import ACCEPTED, keys_of
from runs.models import Upload
from runs.queries import open_modes

LIFE = timedelta(hours=24)
ANONYMOUS_BYTES = 10_000_000  # of one file of a caller whom we do not know
_ANONYMOUS_UNUSED_BYTES = 1_000_000_000  # of all of them together, who are many under as many names
_OWNER_UNUSED_BYTES = 5_000_000_000
_VALUE = re.compile(r"upload:(upload_[0-9a-z]{16})")
_FOLDER = "uploads/"
_PRUNED_AT_ONCE = 500


class UploadTooLarge(Refused):
    """More bytes than are taken of that class of media, or from that caller."""

    code = "UPLOAD_TOO_LARGE"
    title = "The file is larger than we take."
    status = 413
    remediation = "Send a smaller file, or put it on the web and give its https address."


class UploadRefused(Refused):
    """The file is no picture, clip or sound that we take."""

    code = "UPLOAD_NOT_MEDIA"
    title = "The file is no picture, clip or sound that we take."
    status = 422
    remediation = "Send PNG, JPEG, WebP or GIF; MP4, MOV or WebM; MP3, WAV, M4A or Ogg, as one undamaged file."


class TooManyUploads(Refused):
    """What was sent and is not used yet is too much."""

    code = "UPLOAD_QUOTA"
    title = "There are too many uploads that no run uses."
    status = 429
    remediation = "Use them in a run, or send further files tomorrow, when those have ended."


def admit(caller: Caller) -> None:
    """Raises CallerUnknown (401) or CallerRefused (403) unless the caller may send files."""
    if caller.is_known:
        caller.require(Scope.RUN)
    elif "mock" not in open_modes():
        raise CallerUnknown


def most_bytes(head: bytes, *, is_known: bool) -> int:
    """How large a file that begins so may be. Raises UploadRefused for what is no media by its beginning."""
    found = sniff(head)
    if found is None:
        raise UploadRefused
    return most_bytes_of(found[0], is_known=is_known)


def most_bytes_of(content_type: str, *, is_known: bool) -> int:
    """How large a file of that type may be. Raises UploadRefused for what we do not take."""
    kind = kind_of(content_type)
    if kind is None or content_type not in ACCEPTED:
        raise UploadRefused
    most = Limits.of(os.environ).of_kind(kind)
    return most if is_known else min(most, ANONYMOUS_BYTES)


def keep(path: Path, caller: Caller) -> Upload:
    """Look at the file and store it. The same file of the same caller is the same upload, with a new end.

    Raises UploadRefused, UploadTooLarge and TooManyUploads, with nothing stored.
    """
    with path.open("rb") as file:
        size_bytes = os.fstat(file.fileno()).st_size
        if size_bytes > most_bytes(file.read(HEAD_BYTES), is_known=caller.is_known):
            raise UploadTooLarge
        file.seek(0)
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        again = _of(caller).filter(sha256=sha256).first()
        if again is not None and _live().filter(pk=again.pk).update(expires_at=Now() + LIFE):
            again.refresh_from_db(fields=["expires_at"])
            return again
        require_room(caller, size_bytes)
        found = _look(path)
        return _store(File(file), sha256, size_bytes, found, caller)


def require_room(caller: Caller, size_bytes: int, *, announced: int = 0) -> None:
    """Raises TooManyUploads where that, with what is `announced` besides, is more than may lie here unused."""
    theirs = _live().filter(used_at=None, owner=caller.user)
    unused = (theirs.aggregate(total=Sum("size_bytes"))["total"] or 0) + announced
    if unused + size_bytes > (_OWNER_UNUSED_BYTES if caller.is_known else _ANONYMOUS_UNUSED_BYTES):
        raise TooManyUploads


def resolve(inputs: Mapping[str, Any], caller: Caller) -> dict[str, Any]:
    """`inputs` with every `upload:{uploadId}` put in place by what it stands for.

    Raises BadInput, naming each that is unknown, has ended, or was sent by somebody else: nobody is told which.
    """
    named = {name: found[1] for name, value in inputs.items() if (found := _named(value))}
    rows = {row.upload_id: row for row in _of(caller).filter(upload_id__in=named.values())} if named else {}
    problems = [
        Problem(code="UPLOAD_UNKNOWN", message=f"{name}: there is no such upload of yours.", path=f"inputs.{name}")
        for name, upload_id in named.items()
        if upload_id not in rows
    ]
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    return {**inputs, **{name: rows[upload_id].reference for name, upload_id in named.items()}}


def use(inputs: Mapping[str, Any]) -> None:
    """The run that is being made has these inputs: what was uploaded for it stays. Joins the caller's transaction.

    Raises BadInput where one has been thrown away meanwhile.
    """
    keys = {key for key in keys_of(inputs) if key.startswith(_FOLDER)}
    if keys and _live().filter(storage_key__in=keys).update(used_at=Now()) < len(keys):
        raise BadInput("An upload has ended meanwhile; send the file again.")


def hold(storage_keys: Iterable[str]) -> set[str]:
    """Those of them that are uploads, locked until the transaction ends: no run begins to use one meanwhile."""
    named = _by_keys(storage_keys)
    return {upload.storage_key for upload in named.select_for_update().order_by("pk")}


def discard(storage_keys: Sequence[str]) -> None:
    """Nobody can name these any more, whose files go too. For what was locked by `hold`."""
    _by_keys(storage_keys).update(used_at=None, discarded_at=Now())


def forget(storage_keys: Iterable[str]) -> None:
    """Their files are gone."""
    _by_keys(storage_keys).filter(discarded_at__isnull=False).delete()


def prune() -> int:
    """Throw away what no run has used in time. Returns how many. Safe to repeat, and to run while others work."""
    ended = Upload.objects.filter(used_at=None, expires_at__lt=Now()).order_by("expires_at")
    pks = list(ended.values_list("pk", flat=True)[:_PRUNED_AT_ONCE])
    # First nobody may begin to use them; whoever dies before the end leaves rows that are found again.
    Upload.objects.filter(pk__in=pks, used_at=None, expires_at__lt=Now()).update(discarded_at=Now())
    gone = list(Upload.objects.filter(pk__in=pks, discarded_at__isnull=False))
    for upload in gone:
        default_storage.delete(upload.storage_key)
        upload.delete()
    return len(gone)


def _by_keys(storage_keys: Iterable[str]) -> QuerySet[Upload]:
    return Upload.objects.filter(upload_id__in={key.split("/")[1] for key in storage_keys if key.startswith(_FOLDER)})


def _named(value: Any) -> re.Match[str] | None:
    return _VALUE.fullmatch(value) if isinstance(value, str) else None


def _live() -> QuerySet[Upload]:
    return Upload.objects.filter(discarded_at=None)


def _of(caller: Caller) -> QuerySet[Upload]:
    """Those of the caller that can be named now."""
    rows = _live().exclude(used_at=None, expires_at__lt=Now())
    if caller.user is not None:
        return rows.filter(owner=caller.user)
    return rows.filter(owner=None, session=caller.key_scope)


def _look(path: Path) -> Probe:
    try:
        found = fence.probe(path)
    except Unreadable as exc:
        raise UploadRefused(exc.detail) from None
    if found.content_type not in ACCEPTED:
        raise UploadRefused
    return found


def _store(file: "File[bytes]", sha256: str, size_bytes: int, found: Probe, caller: Caller) -> Upload:
    upload_id = new_id("upload")
    file.seek(0)
    storage_key = default_storage.save(f"uploads/{upload_id}/{sha256}", file)
    return _recorded(
        lambda: Upload.objects.create(
            upload_id=upload_id,
            owner=caller.user,
            session="" if caller.is_known else caller.key_scope,
            storage_key=storage_key,
            sha256=sha256,
            kind=found.kind,
            content_type=found.content_type,
            size_bytes=size_bytes,
            width=found.width,
            height=found.height,
            duration_s=found.duration_s,
            expires_at=timezone.now() + LIFE,
        ),
        storage_key,
    )


def _recorded(record: Callable[[], Upload], storage_key: str) -> Upload:
    """A file without a row would never be found again."""
    try:
        with transaction.atomic():
            return record()
    except BaseException:
        default_storage.delete(storage_key)
        raise
