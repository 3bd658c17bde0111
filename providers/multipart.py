"""A form with files in it (multipart/form-data), written and read: how some vendors want inputs, or send results."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One field of a form. `filename` is empty where it is no file."""

    content: bytes = field(repr=False)
    content_type: str = "application/octet-stream"
    filename: str = ""


def write(parts: Mapping[str, Part] | Iterable[tuple[str, Part]]) -> tuple[str, bytes]:
    """The form's content type and body. Names and file names are ours: they hold no quotes and no line ends."""
    pairs = list(parts.items() if isinstance(parts, Mapping) else parts)
    digest = hashlib.sha256()
    for _, part in pairs:
        digest.update(part.content)
    boundary = f"zaps-{digest.hexdigest()[:40]}"
    lines: list[bytes] = []
    for name, part in pairs:
        file = f'; filename="{part.filename}"' if part.filename else ""
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n'
        lines += [head.encode(), f"Content-Type: {part.content_type}\r\n\r\n".encode(), part.content, b"\r\n"]
    return f"multipart/form-data; boundary={boundary}", b"".join([*lines, f"--{boundary}--\r\n".encode()])


def read(content_type: str, body: bytes) -> dict[str, Part]:
    """The fields of a form by their names; {} where it is none. Of several with one name, the last."""
    return dict(read_all(content_type, body))


def read_all(content_type: str, body: bytes) -> list[tuple[str, Part]]:
    """The fields of a form with their names, in order, where several may have the same; [] where it is none."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    found = []
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(content, bytes):
            filename = part.get_filename() or ""
            found.append((name, Part(content=content, content_type=part.get_content_type(), filename=filename)))
    return found
