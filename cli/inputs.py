"""`--input K=V`: what a person types, as the values that the recipe declares."""

import base64
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import filetype  # type: ignore[import-untyped]

from cli import faults

MEDIA = frozenset({"image", "video", "audio"})
MAX_BYTES = 20 * 1024 * 1024  # the interface takes no more in one request
_MAX_TEXT_BYTES = 1024 * 1024
_INLINE_BYTES = 4 * 1024 * 1024  # of one file; what is larger is uploaded first
Send = Callable[[Path], str]


def split(words: Iterable[str]) -> dict[str, str]:
    """Name and value of each `K=V`, cut at the first "=". Raises Fault."""
    pairs: dict[str, str] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or not name:
            raise faults.bad_input(
                "INPUT_MALFORMED", f"--input {word!r} is not K=V.", "Write it like --input NAME=value."
            )
        if name in pairs:
            raise faults.bad_input("INPUT_TWICE", f"--input {name} is given twice.")
        pairs[name] = value
    return pairs


def convert(pairs: Mapping[str, str], types: Mapping[str, str], send: Send | None = None) -> dict[str, Any]:
    """The values by the recipe's types; a name that it does not declare stays a text, for planning to refuse.

    Media: an address as it is, a file as a data: URI, or, where it is larger, what `send` makes of it: None means that
    nothing can be sent. `@file` is a file for every type. Raises Fault.
    """
    values = {name: _value(name, word, types.get(name, "string"), send) for name, word in pairs.items()}
    carried = sum(len(value) for value in values.values() if isinstance(value, str) and value.startswith("data:"))
    if carried * 3 // 4 > MAX_BYTES:
        raise _too_large("The files of the inputs are")
    return values


def _value(name: str, word: str, kind: str, send: Send | None) -> Any:
    if kind in MEDIA:
        return _media(name, word, send)
    if word.startswith("@"):
        word = _text(name, Path(word[1:]))
    if kind == "number":
        return _number(name, word)
    return word


def _number(name: str, word: str) -> int | float:
    try:
        number = Decimal(word)
    except InvalidOperation:
        raise faults.bad_input("INPUT_INVALID", f"{name} is a number, and {word[:40]!r} is none.") from None
    if not number.is_finite():
        raise faults.bad_input("INPUT_INVALID", f"{name} is a number, and {word[:40]!r} is none.")
    return int(number) if number == number.to_integral_value() and abs(number) < 2**53 else float(number)


def _media(name: str, word: str, send: Send | None) -> str:
    if word.startswith(("https://", "http://", "data:", "upload:")):
        return word
    path = Path(word.removeprefix("@"))
    if send is not None and _is_large(path):
        return send(path)
    content = _bytes(name, path, MAX_BYTES)
    kind = filetype.guess(content)
    if kind is None or kind.mime.split("/")[0] not in MEDIA:
        raise faults.bad_input("INPUT_NOT_MEDIA", f"{name}: {path} is no image, video or sound that we know.")
    return f"data:{kind.mime};base64,{base64.b64encode(content).decode()}"


def _is_large(path: Path) -> bool:
    """A file that is not there is none: whoever reads it says so."""
    try:
        return path.stat().st_size > _INLINE_BYTES
    except OSError:
        return False


def _text(name: str, path: Path) -> str:
    try:
        return _bytes(name, path, _MAX_TEXT_BYTES).decode("utf-8")
    except UnicodeDecodeError:
        raise faults.bad_input("INPUT_INVALID", f"{name}: {path} is no UTF-8 text.") from None


def _bytes(name: str, path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(limit + 1)
    except OSError as exc:
        raise faults.bad_input(
            "FILE_NOT_FOUND", f"{name}: {path} cannot be read: {exc.strerror}.", "Give a file or an https address."
        ) from None
    if len(content) > limit:
        raise _too_large(f"{name}: {path} is")
    return content


def _too_large(what: str) -> faults.Fault:
    return faults.bad_input(
        "INPUT_TOO_LARGE", f"{what} larger than 20 MB.", "Put the media on the web and give its https address."
    )
