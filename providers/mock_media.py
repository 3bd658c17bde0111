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
    """What to draw. `kind`: png, mp4 or wav. `duration_s` is None for stills; sizes are pixels, both even."""

    kind: str
    seed: int
    label: str = ""
    width: int = 640
    height: int = 360
    duration_s: Decimal | None = None

    def url(self) -> str:
        """The address that `parse` reads."""
        query = {"seed": str(self.seed), "size": f"{self.width}x{self.height}", "label": self.label}
        if self.duration_s is not None:
            query["duration"] = str(self.duration_s)
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
            duration_s = Decimal(query["duration"]) if "duration" in query else None
        except InvalidOperation:
            raise ValueError("The duration is not a number.") from None
        return cls(
            kind=kind,
            seed=int(query.get("seed", "0")),
            label=query.get("label", ""),
            width=int(width),
            height=int(height),
            duration_s=duration_s,
        )
