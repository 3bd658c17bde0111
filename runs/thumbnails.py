"""Small pictures of stored files. Made when first asked for, then kept in the cache by content."""

import shutil
import tempfile
from pathlib import Path

from django.core.cache import cache
from django.core.files.storage import default_storage
from django.http import Http404, HttpResponse

from media.errors import MediaError
from media.fence import thumbnail
from runs.models import Asset
from runs.storage import SMALL, StorageUnavailable, thumbnail_key

_KEPT_S = 7 * 24 * 3600
_KINDS = frozenset({"mp4", "png"})


def thumbnail_of(asset: Asset | None, *, longest: int = SMALL) -> HttpResponse:
    """A JPEG that browsers may keep for ever: an asset's bytes never change. Raises Http404.

    `longest` is SMALL or LARGE. Who may see it is for the caller to know.
    """
    if asset is None or asset.kind not in _KINDS or not asset.storage_key:
        raise Http404("There is nothing to see.")
    key = thumbnail_key(asset.sha256, longest)
    picture = _kept(key)
    if picture is None:
        picture = _make(asset, longest)
        _keep(key, picture)
    headers = {"Cache-Control": "private, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(picture, content_type="image/jpeg", headers=headers)


def _make(asset: Asset, longest: int) -> bytes:
    try:
        with tempfile.TemporaryDirectory(prefix="zaps-thumbnail-") as folder:
            return thumbnail(_local(asset.storage_key, Path(folder)), longest=longest)
    except (FileNotFoundError, MediaError, StorageUnavailable):
        raise Http404("There is no picture of it.") from None


def _local(storage_key: str, folder: Path) -> Path:
    """The file itself where storage is local, else a copy in `folder`."""
    try:
        return Path(default_storage.path(storage_key))
    except NotImplementedError:
        copy = folder / "original"
        with default_storage.open(storage_key) as stored, copy.open("wb") as file:
            shutil.copyfileobj(stored, file)
        return copy


def _kept(key: str) -> bytes | None:
    try:
        found: bytes | None = cache.get(key)
    except Exception:  # every back end has its own errors; a page must not fail for a cache
        return None
    return found


def _keep(key: str, picture: bytes) -> None:
    try:
        cache.set(key, picture, _KEPT_S)
    except Exception:
        return
