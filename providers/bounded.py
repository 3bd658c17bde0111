"""An answer's body: counted as it is unpacked, so that a small one cannot become a large one."""

import zlib

_GZIP_OR_ZLIB = 47  # of zlib's window bits: look at the heading which of the two it is
_PLAIN = ("", "identity")
_PACKED = ("gzip", "x-gzip", "deflate")


class Unbounded(ValueError):
    """The answer is longer than allowed, or packed in a way that we did not ask for and do not know."""


class Body:
    """Takes the pieces as they came over the wire. Nothing is asked for packed, yet some servers do."""

    def __init__(self, *, encoding: str, most_bytes: int) -> None:
        """`encoding` is the answer's Content-Encoding. Raises Unbounded for one that is not known."""
        encoding = encoding.strip().lower()
        if encoding not in _PLAIN + _PACKED:
            raise Unbounded("The answer is packed in an unknown way.")
        self._unpack = zlib.decompressobj(_GZIP_OR_ZLIB) if encoding in _PACKED else None
        self._left = most_bytes
        self._pieces: list[bytes] = []

    def take(self, piece: bytes) -> None:
        """Raises Unbounded once there are more bytes than allowed, or where they cannot be unpacked."""
        if self._unpack is not None:
            try:
                piece = self._unpack.decompress(piece, self._left + 1)
            except zlib.error:
                raise Unbounded("The answer cannot be unpacked.") from None
        self._left -= len(piece)
        if self._left < 0:
            raise Unbounded("The answer is too long.")
        self._pieces.append(piece)

    def whole(self) -> bytes:
        """Everything. Raises Unbounded where it was packed, and its end is missing."""
        if self._unpack is not None and self._pieces and not self._unpack.eof:
            raise Unbounded("The answer cannot be unpacked.")
        return b"".join(self._pieces)
