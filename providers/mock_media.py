"""The addresses of mock results: `mock://media/mp4?seed=7&size=640x360&duration=5&label=...`.

The mock names what it "made"; whoever fetches it draws it from these values, so no bytes travel.
"""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from urllib.parse import parse_qsl, urlencode, urlsplit

SCHEME = "mock://"
_KINDS = ("png", "mp4", "wav")


@dataclass(frozen=True, slots=True, kw_only=True)
class MockMedia:
    """What to draw. `kind`: png, mp4 or wav. Sizes are pixels; the duration means nothing for stills."""

    kind: str
    seed: str
    label: str = ""
    width: int = 640
    height: int = 360
    duration_s: Decimal = Decimal(3)

    def url(self) -> str:
        """The address that `parse` reads."""
        size = f"{self.width}x{self.height}"
        query = {"seed": self.seed, "size": size, "duration": str(self.duration_s), "label": self.label}
        return f"{SCHEME}media/{self.kind}?{urlencode(query)}"

    @classmethod
    def parse(cls, url: str) -> "MockMedia":
        """What `url` stands for. Raises ValueError when it is no address of a mock result."""
        parts = urlsplit(url)
        kind = parts.path.lstrip("/")
        if not url.startswith(f"{SCHEME}media/") or kind not in _KINDS:
            raise ValueError("This is not the address of a mock result.")
        query = dict(parse_qsl(parts.query))
        width, _, height = query.get("size", "640x360").partition("x")
        try:
            duration_s = Decimal(query.get("duration", "3"))
        except InvalidOperation:
            raise ValueError("The duration is not a number.") from None
        return cls(
            kind=kind,
            seed=query.get("seed", "0"),
            label=query.get("label", ""),
            width=int(width),
            height=int(height),
            duration_s=duration_s,
        )
