"""GET /api/assets/{assetId}/content: an asset's bytes, whole or in part, to whoever may see its run.

From a disk they are sent; to a bucket the caller is led, by an address that is signed for this one time.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.core.files.storage import default_storage
from django.core.handlers.asgi import ASGIRequest
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import content_disposition_header

from core.api.problems import allow, answers_problems
from core.errors import NotFound
from runs import queries
from runs.api.readers import guest_of_plain
from runs.models import Asset
from runs.storage import Bucket, bucket

CHUNK = 128 * 1024
SIGNED_S = 900
_LED_S = 600  # a browser that goes the same way again this late has time left to read
_SHOWN = ("audio/", "image/", "video/")
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")
#: enough for a browser to show it alone in a tab; no script, no origin of ours
_POLICY = "default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
_EXTENSIONS = {"audio/wav": "wav", "image/jpeg": "jpg", "image/svg+xml": "svg", "video/quicktime": "mov"}


@answers_problems
def asset_content(request: HttpRequest, asset_id: str) -> HttpResponseBase:
    """200, 206 for a range, 302 to a bucket, 304 for a known ETag, 416 for a range beyond the end."""
    allow(request, "GET", "HEAD")
    caller = guest_of_plain(request)
    asset = queries.get_asset(asset_id, caller)
    headers = _headers(asset)
    if headers["ETag"] in request.headers.get("If-None-Match", "").replace(" ", "").split(","):
        return HttpResponse(status=304, headers=headers)
    place = bucket()
    if place is not None and request.method == "GET":
        return _lead(place, asset, headers)
    span = _read_range(request, etag=headers["ETag"], size=asset.size_bytes)
    if span is None:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{asset.size_bytes}"})
    headers["Content-Length"] = str(span.length)
    if span.partial:
        headers["Content-Range"] = f"bytes {span.first}-{span.first + span.length - 1}/{asset.size_bytes}"
    status = 206 if span.partial else 200
    if request.method == "HEAD" or not span.length:
        return HttpResponse(status=status, headers=headers)
    return _stream(request, _open(asset), span, status=status, headers=headers)


def _lead(place: Bucket, asset: Asset, headers: dict[str, str]) -> HttpResponse:
    """To the bucket, whose answer is no page of ours: what could run there is saved, not shown."""
    shown = asset.content_type.startswith(_SHOWN) and asset.content_type != "image/svg+xml"
    name = content_disposition_header(as_attachment=not shown, filename=_name(asset)) or "inline"
    url = place.sign_read(asset.storage_key, content_type=asset.content_type, disposition=name, seconds=SIGNED_S)
    said = {**headers, "Location": url, "Cache-Control": f"private, max-age={_LED_S}"}
    del said["ETag"], said["Accept-Ranges"], said["Content-Disposition"], said["Content-Type"]
    return HttpResponse(status=302, headers=said)


@dataclass(frozen=True, slots=True)
class Span:
    """The bytes to send."""

    first: int
    length: int
    partial: bool


def _headers(asset: Asset) -> dict[str, str]:
    """Its bytes never change, so whoever has them may keep them; a browser must never take them for a page of ours."""
    return {
        "Content-Type": asset.content_type,
        "ETag": f'"{asset.sha256}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=31536000, immutable",
        "Content-Disposition": content_disposition_header(as_attachment=False, filename=_name(asset)) or "inline",
        "Content-Security-Policy": _POLICY,
        "X-Content-Type-Options": "nosniff",
    }


def _name(asset: Asset) -> str:
    """As its recipe calls the film; everything else by its id."""
    extension = _EXTENSIONS.get(asset.content_type, asset.content_type.rpartition("/")[2])
    film = asset.run.zap_url == asset.url
    return f"{PurePath(asset.run.output).stem if film else asset.asset_id}.{extension}"


def _read_range(request: HttpRequest, *, etag: str, size: int) -> Span | None:
    """What to send; None when the range begins beyond the end.

    A header that we do not understand, or several ranges, means the whole thing: RFC 9110 lets us ignore it.
    """
    whole = Span(0, size, partial=False)
    found = _RANGE.fullmatch(request.headers.get("Range", "").strip())
    if found is None or found[0] == "bytes=-" or request.headers.get("If-Range", etag) != etag:
        return whole
    if not found[1]:
        tail = min(int(found[2]), size)
        return Span(size - tail, tail, partial=True) if tail else None
    first, last = int(found[1]), int(found[2]) if found[2] else size - 1
    if found[2] and last < first:
        return whole
    return Span(first, min(last, size - 1) - first + 1, partial=True) if first < size else None


def _open(asset: Asset) -> Any:
    try:
        return default_storage.open(asset.storage_key)
    except FileNotFoundError:
        raise NotFound("The bytes of this asset are gone from storage.") from None


class _FileStream(StreamingHttpResponse):
    """Part of a file. Whoever serves it closes it, also when not a byte was sent."""

    def __init__(self, chunks: Iterator[bytes] | AsyncIterator[bytes], file: Any, **kwargs: Any) -> None:
        super().__init__(chunks, **kwargs)
        self._file = file

    def close(self) -> None:
        """Close the file too."""
        super().close()
        self._file.close()


def _stream(request: HttpRequest, file: Any, span: Span, **kwargs: Any) -> StreamingHttpResponse:
    """The bytes as they are read. A long download holds no database connection; under ASGI it blocks nobody."""
    if not connection.in_atomic_block:
        connection.close()
    file.seek(span.first)
    read = _read_async if isinstance(request, ASGIRequest) else _read
    return _FileStream(read(file, span.length), file, **kwargs)


def _read(file: Any, length: int) -> Iterator[bytes]:
    while length > 0 and (chunk := file.read(min(CHUNK, length))):
        length -= len(chunk)
        yield chunk


async def _read_async(file: Any, length: int) -> AsyncIterator[bytes]:
    while length > 0 and (chunk := await asyncio.to_thread(file.read, min(CHUNK, length))):
        length -= len(chunk)
        yield chunk
