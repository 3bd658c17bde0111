"""What a file is, by its first bytes. Names, endings and content types are never believed."""

import filetype  # type: ignore[import-untyped]

HEAD_BYTES = 8192
_KINDS = {  # content type: our class of media
    "image/png": "png",
    "image/jpeg": "png",
    "image/webp": "png",
    "image/gif": "png",
    "image/avif": "png",
    "video/mp4": "mp4",
    "video/quicktime": "mp4",
    "video/webm": "mp4",
    "video/x-matroska": "mp4",
    "audio/wav": "wav",
    "audio/mpeg": "wav",
    "audio/mp4": "wav",
    "audio/aac": "wav",
    "audio/ogg": "wav",
    "audio/flac": "wav",
    "application/json": "json",
}
_SAME = {"audio/x-wav": "audio/wav", "audio/x-flac": "audio/flac", "audio/x-m4a": "audio/mp4", "audio/m4a": "audio/mp4"}
_BRANDS = {b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"avif": "image/avif"}


def sniff(head: bytes) -> tuple[str, str] | None:
    """(content type, kind: png, mp4, wav or json) by the first HEAD_BYTES of a file; None for anything else."""
    content_type = _content_type(head)
    kind = _KINDS.get(content_type)
    return None if kind is None else (content_type, kind)


def kind_of(content_type: str) -> str | None:
    """The class of media that a content type is of: png, mp4, wav or json; None for a type that we do not take."""
    return _KINDS.get(_SAME.get(content_type, content_type))


def _content_type(head: bytes) -> str:
    if head[4:8] == b"ftyp":
        return _BRANDS.get(head[8:12], "video/mp4")
    if head.startswith(b"\x1aE\xdf\xa3"):
        return "video/webm" if b"webm" in head[:64] else "video/x-matroska"
    if head.lstrip()[:1] in (b"{", b"["):
        return "application/json"
    found = filetype.guess_mime(head)
    return _SAME.get(found, found) if found else ""
