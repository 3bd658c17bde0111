"""Which strings say nothing about anybody, judged by their shape. Whatever is not listed here is not kept.

Keys and tokens are long, and mix digits and cases; addresses have an @; names stand in fields that are not listed.
"""

import re

#: Fields of an answer whose words are the vendor's own vocabulary. Elsewhere even a plain word is replaced.
TELLING = frozenset(
    (
        "class_type code content_type contenttype current error_code error_type errorcode finish_reason format kind"
        " level mime_type mimetype mode model object operation output_format outputformat outputtype phase product"
        " quality reason role source stage state status status_str task_type tasktype type unit units usage_type"
    ).split()
)
#: Numbers that may be long.
LONG_NUMBERS = frozenset({"seed", "bytes", "size", "file_size", "content_length", "width", "height"})
MEDIA_TYPES = frozenset(
    {
        *("image/png", "image/jpeg", "image/webp", "image/gif", "image/avif"),
        *("video/mp4", "video/quicktime", "video/webm", "video/x-matroska"),
        *("audio/wav", "audio/x-wav", "audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/flac", "audio/pcm"),
    }
)
CONTENT_TYPES = MEDIA_TYPES | {
    *("application/json", "application/octet-stream", "application/problem+json"),
    *("multipart/form-data", "text/plain", "text/html"),
}

_WORD = r"(?:[a-z]{1,16}|[A-Z]{1,16}|[A-Z][a-z]{1,15})"
_WORDS = re.compile(rf"{_WORD}(?:[ _.:/-]{_WORD}){{0,3}}")
_MEASURE = re.compile(r"\d{1,4}(?:[.:x]\d{1,4})?(?:ms|s|p|k|K|x|MB)?|\d{1,2}[kKx]")
_VERSION = re.compile(r"v\d{1,2}(?:alpha|beta)?\d?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_HUMP = r"[_-][a-z]{1,19}|[_-]?[A-Z][a-z]{2,19}|[_-]?[A-Z]{2,5}"
_FIRST = r"(?:[a-z]{1,4}\d{1,3}[_-]|[A-Z]{1,5}(?=[A-Z][a-z]))?[A-Za-z$]?[a-z]{1,19}"
_FIELD = re.compile(rf"{_FIRST}(?:{_HUMP})*+(?:_?\d{{1,3}})?")
_INDEX = re.compile(r"\d{1,3}", re.ASCII)
_LONGEST = 48


def is_vocabulary(text: str) -> bool:
    """A word, or up to four: `IN_QUEUE`, `succeeded`, `image.gen`."""
    return len(text) <= _LONGEST and _WORDS.fullmatch(text) is not None


def is_harmless(text: str) -> bool:
    """A moment, a measure such as `16:9`, `8s` or `1024x576`, a version, a type of content, or nothing at all."""
    return not text or text in CONTENT_TYPES or any(shape.fullmatch(text) for shape in (_MEASURE, _VERSION, _MOMENT))


def is_field(text: str) -> bool:
    """What a vendor would call a field: words in snake, kebab or camel case, at most one number, or an index."""
    return len(text) <= _LONGEST and (_FIELD.fullmatch(text) is not None or _INDEX.fullmatch(text) is not None)
