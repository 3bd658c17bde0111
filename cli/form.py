"""A file as the body of a form, read as it is sent and never whole."""

import io
import secrets
from collections.abc import Mapping
from typing import IO


class FileForm(io.RawIOBase):
    """`multipart/form-data` with one file, in a field called file, after the others.

    `length` is that of the whole body, in bytes.
    """

    def __init__(self, file: IO[bytes], *, size: int, fields: Mapping[str, str] | None = None) -> None:
        boundary = secrets.token_hex(16)
        self.content_type = f"multipart/form-data; boundary={boundary}"
        # The server tells by the bytes what it is; the file's own name stays here.
        disposition = 'Content-Disposition: form-data; name="file"; filename="file"'
        before = "".join(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in (fields or {}).items()
        )
        head = f"{before}--{boundary}\r\n{disposition}\r\nContent-Type: application/octet-stream\r\n\r\n".encode()
        tail = f"\r\n--{boundary}--\r\n".encode()
        self.length = len(head) + size + len(tail)
        self._parts: list[IO[bytes]] = [io.BytesIO(head), file, io.BytesIO(tail)]

    @property
    def headers(self) -> dict[str, str]:
        """What goes before it."""
        return {"Content-Type": self.content_type, "Content-Length": str(self.length)}

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        """The next bytes; 0 at the end."""
        while self._parts:
            piece = self._parts[0].read(len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)
            self._parts.pop(0)
        return 0
