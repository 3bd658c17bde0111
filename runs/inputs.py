"""Media that callers send inside a request: kept in storage by content, and named in the run instead of carried.

An input `data:image/png;base64,…` becomes `input:inputs/{sha256}|image/png`. The type is what the bytes are, not what
the caller called them.
"""

import base64
import binascii
import hashlib
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import filetype  # type: ignore[import-untyped]
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from core.errors import BadInput, NotFound, Problem
from media import fence
from media.errors import Unreadable
from runs.models import DoomedFile
from runs.storage import put

MAX_BYTES = 20 * 1024 * 1024  # of all data: inputs of one request
_MARK = "input:"
_FOLDER = "inputs/"
_REFERENCE = re.compile(
    r"input:(?P<key>inputs/[0-9a-f]{64}|uploads/upload_[0-9a-z]{16}/[0-9a-f]{64})\|(?P<type>[a-z]+/[a-z0-9.+-]+)"
)
_DATA = re.compile(r"data:(?P<type>[a-z]+/[A-Za-z0-9.+-]+)?(?:;[A-Za-z0-9=._-]+)*;base64,", re.ASCII)
#: what a provider can be expected to read
ACCEPTED = frozenset({
    "audio/mpeg", "audio/wav", "audio/x-wav", "audio/mp4", "audio/ogg",
    "image/gif", "image/jpeg", "image/png", "image/webp",
    "video/mp4", "video/quicktime", "video/webm",
})  # fmt: skip
_OUR_WORD = {"audio/x-wav": "audio/wav"}


def is_data(value: object) -> bool:
    """Whether `value` carries its bytes with it."""
    return isinstance(value, str) and value.startswith("data:")


def is_stored(value: object) -> bool:
    """Whether `value` names bytes that we keep."""
    return isinstance(value, str) and value.startswith(_MARK)


def check_inputs(inputs: Mapping[str, Any]) -> dict[str, tuple[str, bytes]]:
    """Content type and bytes of every data: input, by name. Raises BadInput, naming all that are wrong."""
    problems: list[Problem] = []
    media: dict[str, tuple[str, bytes]] = {}
    for name, value in inputs.items():
        if is_stored(value):
            problems.append(_problem("INPUT_NOT_YOURS", name, "a caller cannot name stored bytes; send them again."))
        elif is_data(value):
            found = _decode(name, value)
            if isinstance(found, Problem):
                problems.append(found)
            else:
                media[name] = found
    if sum(len(content) for _, content in media.values()) > MAX_BYTES:
        problems.append(
            Problem(code="INPUT_TOO_LARGE", message="The data: inputs are larger than 20 MB together.", path="inputs")
        )
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    return media


def store_inputs(inputs: Mapping[str, Any]) -> dict[str, Any]:
    """`inputs` with every data: URI put into storage and named instead. Raises BadInput with nothing stored.

    Each is looked at first; what kind of file it is, its bytes say.
    """
    looked = {name: _look(name, *media) for name, media in check_inputs(inputs).items()}
    problems = [found for found in looked.values() if isinstance(found, Problem)]
    if problems:
        raise BadInput(problems[0].message, problems=problems)
    named = {name: f"{_MARK}{_put(found[1])}|{found[0]}" for name, found in looked.items() if isinstance(found, tuple)}
    return {**inputs, **named}


def type_of_input(value: str) -> str:
    """Content type of a stored input. Raises NotFound when the value names none, or its bytes are gone."""
    reference = _reference(value)
    if not default_storage.exists(reference["key"]):
        raise NotFound("The stored bytes of this input are gone.")
    return reference["type"]


def read_input(value: str) -> bytes:
    """The bytes of a stored input. Raises NotFound when they are gone, or the value names none."""
    try:
        with default_storage.open(_reference(value)["key"]) as file:
            content: bytes = file.read()
            return content
    except FileNotFoundError:
        raise NotFound("The stored bytes of this input are gone.") from None


def bytes_of(value: object) -> object:
    """What stands for the bytes of a stored input, however they came; anything else stands for itself."""
    reference = _REFERENCE.fullmatch(value) if isinstance(value, str) else None
    return value if reference is None else f"sha256:{reference['key'].rpartition('/')[2]}"


def keys_of(inputs: Mapping[str, Any]) -> set[str]:
    """The storage keys that these inputs name."""
    found = (_REFERENCE.fullmatch(value) for value in inputs.values() if isinstance(value, str))
    return {reference["key"] for reference in found if reference is not None}


def _reference(value: str) -> re.Match[str]:
    reference = _REFERENCE.fullmatch(value)
    if reference is None:
        raise NotFound("This input names no stored bytes.")
    return reference


def _decode(name: str, uri: str) -> tuple[str, bytes] | Problem:
    head = _DATA.match(uri[:200])
    if head is None:
        return _problem("INPUT_NOT_BASE64", name, "a data: URI must be base64, like data:image/png;base64,….")
    if (len(uri) - head.end()) * 3 // 4 > MAX_BYTES + 2:
        return _problem("INPUT_TOO_LARGE", name, "it is larger than 20 MB.")
    try:
        content = base64.b64decode(uri[head.end() :], validate=True)
    except (binascii.Error, ValueError):
        return _problem("INPUT_NOT_BASE64", name, "its base64 is broken.")
    kind = filetype.guess(content)
    if kind is None or kind.mime not in ACCEPTED:
        return _problem("INPUT_NOT_MEDIA", name, "its bytes are no image, video or sound that we know.")
    claimed = head["type"]
    if claimed and claimed.split("/")[0].lower() != kind.mime.split("/")[0]:
        return _problem("INPUT_NOT_MEDIA", name, f"it calls itself {claimed} and is {kind.mime}.")
    return _OUR_WORD.get(kind.mime, kind.mime), content


def _look(name: str, content_type: str, content: bytes) -> tuple[str, bytes] | Problem:
    """What it is behind its first bytes, seen from behind the fence."""
    with tempfile.NamedTemporaryFile(prefix="zaps-") as file:
        file.write(content)
        file.flush()
        try:
            found = fence.probe(Path(file.name)).content_type
        except Unreadable:
            found = ""
    if found not in ACCEPTED or found.partition("/")[0] != content_type.partition("/")[0]:
        return _problem("INPUT_NOT_MEDIA", name, "it cannot be read as the image, video or sound that it begins like.")
    return found, content


def _put(content: bytes) -> str:
    """The storage key. The same bytes have the same key, so whoever comes second finds them there."""
    key = _FOLDER + hashlib.sha256(content).hexdigest()
    DoomedFile.objects.filter(storage_key=key).delete()  # whoever is deleting it has done so once this returns
    return put(key, ContentFile(content))


def _problem(code: str, name: str, sentence: str) -> Problem:
    return Problem(code=code, message=f"{name}: {sentence}", path=f"inputs.{name}")
