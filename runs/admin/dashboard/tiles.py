"""What the dashboard is made of: tiles of facts. Plain data, so that it can be kept in the cache for a few seconds."""

from dataclasses import dataclass, field

MOST = 1000  # more rows than that are not counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One figure with its name. `tone` colours it: good, busy, care, bad, or nothing. `url` leads to the rows."""

    name: str
    value: str
    tone: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One cycle in the chart, 10 wide and at most 100 high; y grows downwards."""

    x: int
    height: float
    status: str
    title: str
    url: str

    @property
    def top(self) -> float:
        """Where the bar begins."""
        return round(100 - self.height, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One group of facts. `note` says what they mean, or that there are none."""

    title: str
    facts: list[Fact] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    note: str = ""
    is_unread: bool = False

    @property
    def width(self) -> int:
        """Of the chart."""
        return 10 * len(self.bars)


def tone_of(value: float, *, care: float, bad: float) -> str:
    """`care` or `bad` once the value has reached that, else nothing."""
    return "bad" if value >= bad else "care" if value >= care else ""


def up_to_most(count: int) -> str:
    """Of what was counted no further than one more than `MOST`."""
    return counted(count) if count <= MOST else f"more than {counted(MOST)}"


def counted(count: int) -> str:
    """`12,345`."""
    return f"{count:,}"
